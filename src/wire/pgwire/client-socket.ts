import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { writeSocket } from '../../io/index.ts';

/** Size of a read. One buffer serves all sockets, as what is read is handled before the next read. */
const INPUT_SIZE = 64 * 1024;
const INPUT = Buffer.allocUnsafeSlow(INPUT_SIZE);
/** More than this is left to the stream, which can wait. */
const WRITE_AT_ONCE_MAX = 64 * 1024;
/** So little waits in a copy: many answers, each in a large buffer, may wait for a slow client. */
const COPIED_MAX = 4 * 1024;

/** A client's socket.
 *
 * It reads into one buffer that all sockets share, and writes at once what the kernel takes. Node
 * gives a socket a read buffer only at its making (`onread`), so the handle of the accepted socket
 * moves to a new one. Without it each read allocates 64 KiB, shrinks them, and passes through the
 * stream's queue: a tenth of the processor time of a point query.
 */
export class ClientSocket extends Socket {
  /** Is given what came: bytes[0, length), valid during the call. */
  onReceive: (bytes: Buffer, length: number) => void = () => {};
  private readonly accepted: Socket;

  constructor(accepted: Socket) {
    const handle = handleOf(accepted);
    let receive = (_length: number): void => {};
    const options: SocketConstructorOpts & ConnectOpts & { readonly handle: unknown } = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: INPUT,
        callback: (length) => {
          receive(length);
          return true;
        },
      },
    };
    super(options);
    receive = (length) => this.onReceive(INPUT, length);
    // The server counts the accepted one until that is destroyed.
    setHandle(accepted, null);
    this.accepted = accepted;
  }

  /** The socket's file descriptor; -1 when it is closed, or on systems that have none. */
  private get descriptor(): number {
    return handleOf(this)?.fd ?? -1;
  }

  /** Nothing waits to be written, so a write to the descriptor comes in turn. */
  private get isIdle(): boolean {
    return this.writableLength === 0 && !this.destroyed;
  }

  /** Sends bytes[start, end); true when the bytes are free, as the kernel has taken them or they were copied. */
  send(bytes: Buffer, start: number, end: number): boolean {
    let from = start;
    if (this.isIdle && end - start <= WRITE_AT_ONCE_MAX) {
      const { descriptor } = this;
      if (descriptor >= 0) from += writeSocket(descriptor, bytes, start, end);
      if (from === end) return true;
    }
    const rest = bytes.subarray(from, end);
    if (rest.length <= COPIED_MAX) {
      this.write(Buffer.from(rest));
      return true;
    }
    this.write(rest);
    return this.writableLength === 0;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback);
    this.accepted.destroy();
  }
}

interface SocketHandle {
  readonly fd?: number;
}

function handleOf(socket: Socket): SocketHandle | null {
  return (socket as unknown as { readonly _handle: SocketHandle | null })._handle;
}

function setHandle(socket: Socket, handle: SocketHandle | null): void {
  (socket as unknown as { _handle: SocketHandle | null })._handle = handle;
}

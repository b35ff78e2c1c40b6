export type { Directory, File, OpenMode } from './file.ts';
export { type IoOperation, ioError } from './io-error.ts';
export { openMemoryDirectory } from './memory-directory.ts';
export { openNodeDirectory } from './node-directory.ts';
export { type Processes, systemProcesses } from './processes.ts';
export { PowerCut, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';
export { removeSocketFile } from './socket-file.ts';
export { writeSocket } from './socket-write.ts';

/** The path in `--data`: a directory, or its file: URL. */
export function dataDirectory(data: string): string {
  const path = data.replace(/^file:\/\//, '');
  if (path === '') throw new Error('--data needs the path of a directory');
  if (/^[a-z]+:/.test(data) && path === data) {
    throw new Error(`data in "${data}" is not supported: --data takes the path of a directory`);
  }
  return path;
}

import fs from 'node:fs';

/** Reads until `into` is full or the file is at its end; returns how many bytes that were. A system may do it in pieces. @throws Error of the system */
export function readFully(fd: number, into: Buffer, position: number): number {
  let got = 0;
  while (got < into.length) {
    const count = fs.readSync(fd, into, got, into.length - got, position + got);
    if (count === 0) break;
    got += count;
  }
  return got;
}

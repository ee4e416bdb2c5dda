import { ChunkHeader, chunkHeaderBytes, readChunkHeader } from '../../../src/store/streams/chunk.ts';
import { parseSegmentName } from '../../../src/store/streams/segment.ts';
import { readBody } from '../campaign/body.ts';
import { type Recovered, streamFolder } from '../recovered.ts';
import type { Expected } from './base.ts';

/** A chunk of a stream in its file. */
export interface ChunkPlace {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly streamId: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** Nothing says that it was durable: where it is bad, it and what is behind it is taken for an unfinished write. */
  readonly isLast: boolean;
}

/** All chunks of all streams, by their headers. */
export function chunksOf({ files }: Recovered): ChunkPlace[] {
  const places: ChunkPlace[] = [];
  const header = new ChunkHeader();
  const durable = new Map<number, number>();
  for (const file of files.list().sort()) {
    const parsed = file.startsWith(streamFolder) ? parseSegmentName(file.slice(streamFolder.length)) : null;
    if (parsed === null || parsed.kind !== 'stream') continue;
    const { streamId } = parsed;
    const bytes = files.bytesOf(file);
    for (let from = 0; from + chunkHeaderBytes <= bytes.length && readChunkHeader(bytes, from, streamId, from, header); ) {
      const { firstOffset, endOffset, totalBytes } = header;
      places.push({ file, from, to: from + totalBytes, streamId, firstOffset, endOffset, isLast: false });
      durable.set(streamId, Math.max(durable.get(streamId) ?? 0, header.durableOffset));
      from += totalBytes;
    }
  }
  return places.map(place => ({ ...place, isLast: place.endOffset > (durable.get(place.streamId) ?? 0) }));
}

/** The messages of a stream, by offset, with the chunks they are in. */
export function expectedOf(recovered: Recovered, name: string, streamId: number, chunks: readonly ChunkPlace[]): Expected[] {
  const own = chunks.filter(chunk => chunk.streamId === streamId);
  return recovered.streamBodies(name).map((body, offset) => {
    const chunk = own.find(({ firstOffset, endOffset }) => firstOffset <= offset && offset < endOffset);
    if (chunk === undefined) throw new Error(`offset ${offset} of ${name} is in no chunk`);
    return { copy: readBody(body), file: chunk.file, position: chunk.from };
  });
}

/** How many messages a piece of a stream's file has a part in. */
export function lostOfStream(chunks: readonly ChunkPlace[], file: string, position: number, isCut: boolean): number {
  const inFile = chunks.filter(chunk => chunk.file === file);
  const hit = inFile.find(({ from, to }) => from <= position && position < to);
  const lost = hit === undefined ? [] : isCut || hit.isLast ? inFile.filter(({ from }) => from >= hit.from) : [hit];
  return lost.reduce((sum, { firstOffset, endOffset }) => sum + endOffset - firstOffset, 0);
}

// Changes to bytes that were right: of single bits, of lengths, of the order of frames.
import type { Random } from '../support/random.ts';

const interesting = [0, 1, 7, 8, 0x7f, 0x80, 0xce, 0xfe, 0xff];

/** One frame with something wrong in it. */
export function mutateFrame(random: Random, original: Buffer): Buffer {
  const frame = Buffer.from(original);
  if (frame.length === 0) return frame;
  switch (random.below(9)) {
    case 0:
      frame[random.below(frame.length)] = random.pick(interesting);
      return frame;
    case 1: {
      const at = random.below(frame.length);
      frame[at] = (frame[at] as number) ^ (1 << random.below(8));
      return frame;
    }
    case 2:
      // The length in the frame's header.
      if (frame.length >= 7)
        frame.writeUInt32BE(random.pick([0, 1, 3, frame.length - 7, frame.length - 9, 4089, 131_072, 0x7fff_ffff, 0xffff_ffff]) >>> 0, 3);
      return frame;
    case 3:
      frame[0] = random.below(256);
      return frame;
    case 4:
      if (frame.length >= 3) frame.writeUInt16BE(random.pick([0, 1, 2, 2047, 65_535]), 1);
      return frame;
    case 5:
      return frame.subarray(0, random.below(frame.length));
    case 6:
      return Buffer.concat([frame.subarray(0, frame.length - 1), random.bytes(random.below(20)), frame.subarray(-1)]);
    case 7: {
      // Class and method.
      if (frame.length >= 11) frame.writeUInt32BE(random.chance(0.5) ? random.uint32() : (random.below(100) << 16) | random.below(130), 7);
      return frame;
    }
    default: {
      // A payload that is cut short inside a frame that is right.
      if (frame.length < 9) return frame;
      const payload = frame.subarray(7, 7 + random.below(frame.length - 8));
      const cut = Buffer.concat([frame.subarray(0, 7), payload, Buffer.of(0xce)]);
      cut.writeUInt32BE(payload.length, 3);
      return cut;
    }
  }
}

/** The frames of a session with something wrong in their order or number, or in one of them. */
export function mutateSession(random: Random, frames: readonly Buffer[]): Buffer[] {
  const result = [...frames];
  for (let i = random.between(1, 4); i > 0 && result.length > 0; i--) {
    const at = random.below(result.length);
    const frame = result[at] as Buffer;
    switch (random.below(8)) {
      case 0:
        result.splice(at, 1);
        break;
      case 1:
        result.splice(at, 0, frame);
        break;
      case 2: {
        const other = random.below(result.length);
        result[at] = result[other] as Buffer;
        result[other] = frame;
        break;
      }
      default:
        result[at] = mutateFrame(random, frame);
    }
  }
  return result;
}

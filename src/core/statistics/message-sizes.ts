// hot path: see docs/STYLE.md

/** Upper bounds of the size classes in bytes. [RabbitMQ 4.1: rabbit_msg_size_metrics] */
export const messageSizeBounds = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000, 100_000_000] as const;

const classCount = messageSizeBounds.length + 1;
const bytesAt = classCount;

/** How large the bodies were that clients of one protocol published. */
export class MessageSizes {
  /** Messages per class, then the bytes of all. */
  readonly #sums = new Float64Array(classCount + 1);

  /** Messages per class; those larger than the last bound are the last. */
  get counts(): Float64Array {
    return this.#sums.subarray(0, classCount);
  }

  get bytes(): number {
    return this.#sums[bytesAt] as number;
  }

  add(bodyBytes: number): void {
    const sums = this.#sums;
    sums[bytesAt] = (sums[bytesAt] as number) + bodyBytes;
    const at = bodyBytes <= 100 ? 0 : classOf(bodyBytes);
    sums[at] = (sums[at] as number) + 1;
  }
}

function classOf(bodyBytes: number): number {
  let at = 1;
  while (at < messageSizeBounds.length && bodyBytes > (messageSizeBounds[at] as number)) at++;
  return at;
}

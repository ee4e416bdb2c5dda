const { timeOrigin } = performance;

/** Wall time in milliseconds with a fraction. Follows the machine's clock wherever that is set. */
export function wallMillis(): number {
  const wall = Date.now();
  const precise = timeOrigin + performance.now();
  return Math.min(Math.max(precise, wall), wall + 0.999);
}

let lastSecond = Number.NaN;
let prefix = '';
let offset = '';

/** As RabbitMQ writes times: `2026-11-20 18:30:00.123456+00:00`, local time with its offset. */
export function timestamp(millis: number): string {
  const second = Math.floor(millis / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    const date = new Date(second * 1000);
    prefix =
      `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
      `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.`;
    const minutes = -date.getTimezoneOffset();
    const size = Math.abs(minutes);
    offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  }
  const micros = Math.min(999_999, Math.floor((millis - second * 1000) * 1000));
  // With a digit in front there are always seven.
  return prefix + String(1_000_000 + micros).slice(1) + offset;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

const second = 1000;
const day = 86_400 * second;

/** [RabbitMQ: rabbit_amqqueue, unit_value_in_ms] A month has 30 days and a year 365. */
const unitMillis: ReadonlyMap<string, number> = new Map([
  ['Y', 365 * day],
  ['M', 30 * day],
  ['D', day],
  ['h', 3600 * second],
  ['m', 60 * second],
  ['s', second],
]);

/** Milliseconds of an age such as `7D`: digits and one of Y M D h m s. Null for anything else, and for none at all. */
export function ageMillis(text: string): number | null {
  const match = /^(\d{1,15})([YMDhms])$/.exec(text);
  if (match === null) return null;
  const count = Number(match[1]);
  return count === 0 ? null : count * (unitMillis.get(match[2] as string) as number);
}

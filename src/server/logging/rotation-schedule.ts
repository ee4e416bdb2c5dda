/** Times at which something happens again and again, in local time. Infinity where nothing is scheduled. */
export type Schedule = (afterMillis: number) => number;

export const never: Schedule = () => Infinity;

/**
 * RabbitMQ's notation: `$H30` half past every hour, `$D6` every day at six, `$W1D6` Mondays at six (0 is Sunday), `$M1D6` the first of each
 * month at six. What is left out is 0, the day of a month 1. Days that a month lacks are its last. [RabbitMQ docs: log rotation]
 */
export function rotationSchedule(notation: string): Schedule {
  const parts = new Map<string, number | null>();
  for (const [, letter = '', digits = ''] of notation.matchAll(/([HDWM])([0-9]{0,2})/g))
    parts.set(letter, digits === '' ? null : Number(digits));
  const hour = Math.min(parts.get('D') ?? 0, 23);
  const minute = Math.min(parts.get('H') ?? 0, 59);
  if (parts.has('M')) {
    const day = Math.max(parts.get('M') ?? 1, 1);
    return monthly(day, hour);
  }
  if (parts.has('W')) return daily(hour, (parts.get('W') ?? 0) % 7);
  return parts.has('D') ? daily(hour, null) : hourly(minute);
}

function hourly(minute: number): Schedule {
  return afterMillis => {
    const next = new Date(afterMillis);
    next.setMinutes(minute, 0, 0);
    if (next.getTime() <= afterMillis) next.setHours(next.getHours() + 1);
    return next.getTime() > afterMillis ? next.getTime() : afterMillis + 3_600_000;
  };
}

function daily(hour: number, weekday: number | null): Schedule {
  return afterMillis => {
    const next = new Date(afterMillis);
    next.setHours(hour, 0, 0, 0);
    while (next.getTime() <= afterMillis || (weekday !== null && next.getDay() !== weekday)) {
      next.setDate(next.getDate() + 1);
      next.setHours(hour, 0, 0, 0);
    }
    return next.getTime();
  };
}

function monthly(day: number, hour: number): Schedule {
  return afterMillis => {
    const after = new Date(afterMillis);
    for (let month = after.getMonth(); ; month++) {
      const lastDay = new Date(after.getFullYear(), month + 1, 0).getDate();
      const next = new Date(after.getFullYear(), month, Math.min(day, lastDay), hour).getTime();
      if (next > afterMillis) return next;
    }
  };
}

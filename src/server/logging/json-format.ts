import type { EntryFormat, LogCategory } from './log-entry.ts';
import { errorLines, textCharsMax } from './log-text.ts';
import { timestamp } from './timestamp.ts';

/** Characters that JSON leaves as they are and a terminal does not. */
const unescapedControls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** An object a line, with RabbitMQ's names: time, level, msg, domain, pid; and `error`, the stack of an exception. */
export function jsonFormat(pid: number): EntryFormat {
  return entry => {
    const { text } = entry;
    const json = JSON.stringify({
      time: timestamp(entry.timeMillis),
      level: entry.level,
      msg: text.length > textCharsMax ? `${text.slice(0, textCharsMax)}...` : text,
      domain: domainOf(entry.category),
      pid,
      ...(entry.error === undefined ? {} : { error: errorLines(entry.error).join('\n') }),
    });
    return `${json.replace(unescapedControls, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
  };
}

function domainOf(category: LogCategory): string {
  return category === 'default' ? 'rabbitmq' : `rabbitmq.${category}`;
}

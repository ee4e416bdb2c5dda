/**
 * Reads an enabled_plugins file: an Erlang list of names, `[rabbitmq_management,rabbitmq_mqtt].`, with `%` comments.
 * Null if it is anything else. [RabbitMQ docs: plugins]
 */
export function parseEnabledPlugins(text: string): readonly string[] | null {
  if (text.length > 65_536) return null;
  const list = text
    .split('\n')
    .map(line => line.replace(/%.*/, ''))
    .join(' ')
    .trim();
  if (!/^\[[a-z0-9_',\s]*\]\s*\.?$/.test(list)) return null;
  return list
    .slice(1, list.lastIndexOf(']'))
    .split(',')
    .map(name => name.trim().replace(/^'(.*)'$/, '$1'))
    .filter(name => name !== '');
}

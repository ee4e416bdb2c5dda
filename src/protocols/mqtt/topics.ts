// Topics and the routing keys they become: `/` is `.` there, `+` is `*`. [RabbitMQ docs: MQTT, topic and routing keys]
import { textBytes } from '../../base/text.ts';
import { limits } from '../../core/limits.ts';

/** Levels of a topic or filter, if the configuration allows no fewer. */
export const topicLevelsMax = 128;

function isTooLong(text: string, levelsMax: number): boolean {
  return textBytes(text) > limits.nameBytesMax || text.split('/').length > levelsMax;
}

/** Whether the text names a topic that can be published to: not empty, no wildcard, no longer than a routing key. [MQTT 5.0 4.7] */
export function isTopicName(text: string, levelsMax: number = topicLevelsMax): boolean {
  return text !== '' && !/[+#\0]/.test(text) && !isTooLong(text, levelsMax);
}

/** Whether the text is a topic filter: `+` stands for a level, `#` for all that follow. [MQTT 5.0 4.7.1] */
export function isTopicFilter(text: string, levelsMax: number = topicLevelsMax): boolean {
  if (text === '' || text.includes('\0') || isTooLong(text, levelsMax)) return false;
  const levels = text.split('/');
  return levels.every((level, index) => !/[+#]/.test(level) || level === '+' || (level === '#' && index === levels.length - 1));
}

/** A filter's group and the filter within; null for one that is not shared. [MQTT 5.0 4.8.2] */
export function sharedFilter(filter: string): { readonly group: string; readonly inner: string } | null {
  const match = /^\$share\/([^/]*)\/(.*)$/s.exec(filter);
  return match === null ? null : { group: match[1] as string, inner: match[2] as string };
}

/** Whether the filter can be subscribed to. */
export function isSubscribable(filter: string, levelsMax: number = topicLevelsMax): boolean {
  if (filter !== '$share' && !filter.startsWith('$share/')) return isTopicFilter(filter, levelsMax);
  const shared = sharedFilter(filter);
  return shared !== null && shared.group !== '' && !/[+#]/.test(shared.group) && isTopicFilter(shared.inner, levelsMax);
}

const sparkplugTopic = /^spBv\d+\.\d+\//;
const sparkplugKey = /^spBv\d+___\d+\./;

/** The routing key of a topic; `isSparkplug`: the dots of Sparkplug's namespace survive. [RabbitMQ docs: MQTT, sparkplug] */
export function routingKeyOfTopic(topic: string, isSparkplug: boolean): string {
  const key = isSparkplug && sparkplugTopic.test(topic) ? topic.replace('.', '___') : topic;
  return key.replaceAll('/', '.');
}

/** The topic of a routing key. */
export function topicOfRoutingKey(key: string, isSparkplug: boolean): string {
  if (isSparkplug && sparkplugKey.test(key)) return key.replaceAll('.', '/').replace('___', '.');
  return key.replaceAll('.', '/');
}

/** The binding key of a filter. */
export function bindingKeyOfFilter(filter: string, isSparkplug: boolean): string {
  return routingKeyOfTopic(filter, isSparkplug).replaceAll('+', '*');
}

/** The filter of a binding key. */
export function filterOfBindingKey(key: string, isSparkplug: boolean): string {
  return topicOfRoutingKey(key, isSparkplug).replaceAll('*', '+');
}

/** Whether a filter matches a topic. Wildcards in front match no topic that begins with `$`. [MQTT 5.0 4.7.2] */
export function matchesTopic(filterLevels: readonly string[], topicLevels: readonly string[]): boolean {
  const first = filterLevels[0];
  if ((first === '+' || first === '#') && (topicLevels[0] ?? '').startsWith('$')) return false;
  for (let i = 0; i < filterLevels.length; i++) {
    const level = filterLevels[i];
    if (level === '#') return true;
    if (i >= topicLevels.length) return false;
    if (level !== '+' && level !== topicLevels[i]) return false;
  }
  return filterLevels.length === topicLevels.length;
}

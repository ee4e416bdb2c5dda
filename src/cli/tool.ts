/** The programs of RabbitMQ whose commands there are. `warrenctl` has all of them. */
export const rabbitTools = [
  'rabbitmqctl',
  'rabbitmq-diagnostics',
  'rabbitmq-queues',
  'rabbitmq-plugins',
  'rabbitmq-upgrade',
  'rabbitmq-streams',
] as const;

export type RabbitTool = (typeof rabbitTools)[number];
export type Tool = RabbitTool | 'warrenctl';

/** Which program this is, by the name it was started under: bin/warrenctl may be linked to any of the names. */
export function toolNamed(path: string): Tool {
  const name = (path.split(/[\\/]/).at(-1) ?? '').replace(/\.(?:js|bat|cmd)$/, '');
  return rabbitTools.find(tool => tool === name) ?? 'warrenctl';
}

/** `plugins` for `rabbitmq-plugins`: the commands of one tool as a word of warrenctl, `warrenctl plugins list`. */
export function toolByWord(word: string): RabbitTool | null {
  return rabbitTools.find(tool => tool === `rabbitmq-${word}`) ?? null;
}

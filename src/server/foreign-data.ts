import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is in a data directory of RabbitMQ, of Mnesia and of Khepri. [RabbitMQ docs: file and directory locations] */
const marks = ['schema.DAT', 'cluster_nodes.config', 'nodes_running_at_shutdown', 'rabbit_serial'];
/** Directories that RabbitMQ's packages and image keep the data of nodes in, beside ours. */
const bases = ['mnesia', 'khepri'];
/** Entries that are looked at in each. */
const entriesMax = 100;

/** A directory with data of RabbitMQ, in a data directory or beside it; null when there is none, or nothing may be read. */
export function rabbitmqDataNear(dataDir: string): string | null {
  const parent = dirname(dataDir);
  const candidates = [dataDir, ...[parent, ...bases.map(base => join(parent, base))].flatMap(base => [base, ...nodesIn(base)])];
  return candidates.find(directory => marks.some(mark => existsSync(join(directory, mark)))) ?? null;
}

/** Directories named as nodes are: rabbit@host. */
function nodesIn(base: string): string[] {
  try {
    return readdirSync(base)
      .filter(name => /^[\w-]+@/.test(name))
      .slice(0, entriesMax)
      .map(name => join(base, name));
  } catch {
    return [];
  }
}

/** What a broker that starts for the first time says of RabbitMQ's data; null when there is none, or it has data of its own already. */
export function foreignDataWarning(dataDir: string): string | null {
  if (existsSync(join(dataDir, 'journal'))) return null;
  const found = rabbitmqDataNear(dataDir);
  if (found === null) return null;
  return (
    `${found} has data of RabbitMQ, which is neither read nor changed: this broker starts empty. ` +
    "Bring users, queues and policies with RabbitMQ's 'rabbitmqctl export_definitions', and messages as docs/guides/moving-from-rabbitmq.md says"
  );
}

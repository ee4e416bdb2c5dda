/** An option by its long name. */
export interface OptionSpec {
  /** What its value is, as help shows it; null for a flag. */
  readonly value: string | null;
  readonly isInteger: boolean;
  readonly description: string;
}

function flag(description: string): OptionSpec {
  return { value: null, isInteger: false, description };
}

function text(value: string, description: string): OptionSpec {
  return { value, isInteger: false, description };
}

function integer(value: string, description: string): OptionSpec {
  return { value, isInteger: true, description };
}

/** Options that every command takes. [rabbitmqctl(8), general options] */
export const generalOptions: Readonly<Record<string, OptionSpec>> = {
  'data-dir': text('dir', 'data directory of the broker; no password is needed (WARREN_DATA_DIR)'),
  url: text('url', 'HTTP API of the broker: http://HOST:15672 (WARREN_URL)'),
  username: text('name', 'user of the HTTP API, guest by default (WARREN_USER)'),
  password: text('password', "the user's password, guest by default (WARREN_PASSWORD)"),
  node: text('node', 'accepted, and shown in messages; a broker is one node'),
  longnames: flag('accepted without effect'),
  vhost: text('vhost', 'virtual host, "/" by default'),
  timeout: integer('seconds', 'longest wait for an answer, 60 by default'),
  quiet: flag('suppress informational messages'),
  silent: flag('suppress informational messages and table header row'),
  'no-table-headers': flag('suppress the table header row'),
  'table-headers': flag('accepted: headers are shown'),
  formatter: text('formatter', 'table, json, csv, pretty_table, erlang or json_stream'),
  watch: text('seconds', 'run the command again and again until Ctrl+C'),
  help: flag('displays command help'),
  version: flag('shows the version'),
  'erlang-cookie': text('cookie', 'accepted without effect'),
  'script-name': text('name', 'accepted without effect'),
  'print-stacktrace': flag('accepted without effect'),
  'auto-complete': flag('accepted without effect'),
};

export const generalShorts: Readonly<Record<string, string>> = {
  n: 'node',
  l: 'longnames',
  p: 'vhost',
  t: 'timeout',
  q: 'quiet',
  s: 'silent',
  '?': 'help',
  h: 'help',
};

/** Options of single commands, which name those they take. */
export const commandOptions: Readonly<Record<string, OptionSpec>> = {
  online: flag('only what is on nodes that are up: everything'),
  offline: flag('only what is on nodes that are down: nothing'),
  local: flag('only what is on this node: everything'),
  'queue-timeout': integer('milliseconds', 'accepted without effect'),
  'apply-to': text('queues | exchanges | all', 'what the policy is for, all by default'),
  priority: integer('priority', 'of several policies that match the highest applies, 0 by default'),
  global: flag('for all virtual hosts, or all users'),
  user: text('user', 'user to ask about'),
  description: text('description', 'description of the virtual host'),
  tags: text('tags', 'tags, separated by commas'),
  'default-queue-type': text('type', 'type of queues declared without one'),
  'pre-hashed-password': flag('the password is a hash as hash_password makes them'),
  'if-empty': flag('only if no message is ready'),
  'if-unused': flag('only if there is no consumer'),
  'per-connection-delay': integer('milliseconds', 'pause after each connection'),
  limit: integer('count', 'close at most so many'),
  format: text('json | erlang', 'format of the file: only json here'),
  'skip-if-unchanged': flag('accepted: importing the same again changes nothing'),
  unit: text('unit', 'unit of sizes or times'),
  within: integer('number', 'how many units'),
  all: flag('everything'),
  number: integer('lines', 'how many lines'),
  duration: integer('seconds', 'how long'),
  pid: integer('pid', 'process id'),
  address: text('host', 'accepted without effect'),
  'sample-interval': integer('seconds', 'how long to measure'),
  verbose: flag('more information'),
  minimal: flag('names only'),
  enabled: flag('only what is enabled'),
  'implicitly-enabled': flag('with what others depend on'),
  count: integer('count', 'how many'),
  offset: integer('count', 'how many to skip'),
  search: text('text', 'only messages with this in body, key or headers'),
  state: text('ready | unacked | delayed | dead-lettered', 'which messages'),
  type: text('type', 'type of the queue; the default one by default'),
  arguments: text('json', 'arguments as a JSON object'),
  exchange: text('exchange', 'an exchange in place of a queue'),
  queue: text('queue', 'the queue'),
  after: integer('seconds', 'how long from now; now by default'),
  id: text('id', 'one message, by the id that browse_messages shows; may be given again'),
  rate: integer('messages', 'at most so many a second'),
  'dry-run': flag('only say what would be done'),
  'routing-key': text('key', 'routing key'),
  headers: text('json', 'headers as a JSON object'),
  'vhost-pattern': text('pattern', 'only virtual hosts that match'),
  'queue-pattern': text('pattern', 'only queues that match'),
  details: flag('accepted without effect'),
  'only-down': flag('accepted without effect'),
  interval: integer('seconds', 'how often'),
  connections: flag('begin with connections'),
  pattern: text('pattern', 'accepted without effect'),
  ram: flag('accepted without effect'),
  disc: flag('accepted without effect'),
  cipher: text('cipher', 'accepted without effect'),
  hash: text('hash', 'accepted without effect'),
  iterations: integer('count', 'accepted without effect'),
  decode: flag('accepted without effect'),
  ipv6: flag('IPv6 addresses'),
  offload: flag('accepted without effect'),
  category: text('category', 'one category of the log: connection, channel, queue, default, upgrade, store'),
  errors: flag('only what failed'),
  'errors-only': flag('accepted without effect'),
  'hashing-algorithm': text('algorithm', 'rabbit_password_hashing_sha256 or _sha512'),
  opt: flag('opt in to an experimental flag: accepted without effect'),
  experimental: flag('accepted without effect'),
};

/** Where warrenctl answers otherwise than RabbitMQ's tools did, by command line, and why. */
export interface KnownDifference {
  readonly why: string;
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const exactUser = 'a missing user is told in the same words and with the same code by every command';
const plainArguments = 'arguments in JSON are an object, which is easier to read than a list of triples';

const known: Record<string, KnownDifference> = {
  'rabbitmqctl import_definitions DEFINITIONS': {
    why: 'the import is over when the command is',
    stdout: 'Importing definitions in JSON from a file at "DEFINITIONS" ...\nSuccessfully imported definitions.',
  },
  'rabbitmqctl add_user bob': { why: 'a prompt is for terminals', stdout: 'Adding user "bob" ...' },
  'rabbitmqctl clear_password nobody': { why: exactUser, code: 67, stderr: 'Error:\nUser "nobody" does not exist' },
  'rabbitmqctl list_user_permissions nobody': { why: exactUser, code: 67, stderr: 'Error:\nUser "nobody" does not exist' },
  'rabbitmqctl set_user_limits nobody {"max-connections":5}': { why: exactUser, code: 67, stderr: 'Error:\nUser "nobody" does not exist' },
  'rabbitmqctl list_users --formatter erlang': {
    why: 'texts are binaries, tags among them',
    stdout:
      'Listing users ...\n[[{user,<<"alice">>},{tags,[<<"administrator">>,<<"monitoring">>]}],\n [{user,<<"carol">>},{tags,[]}],\n [{user,<<"guest">>},{tags,[<<"administrator">>]}]]',
  },
  'rabbitmqctl list_vhosts name tracing description tags': {
    why: 'no tags are an empty list, whoever made the virtual host',
    stdout:
      'Listing vhosts ...\nname\ttracing\tdescription\ttags\n/\tfalse\t\t[]\nshop\tfalse\t\t[]\nv1\tfalse\t\t[]\nv2\tfalse\ta b\t[p, q]',
  },
  'rabbitmqctl list_vhosts name tags --formatter json': {
    why: 'no tags are an empty list, whoever made the virtual host',
    stdout: '[\n{"name":"/","tags":[]}\n,{"name":"shop","tags":[]}\n,{"name":"v1","tags":[]}\n,{"name":"v2","tags":["p","q"]}\n]',
  },
  'rabbitmqctl set_permissions alice "*" .* .*': {
    why: 'the reason in the form of the HTTP API',
    stderr: 'Error:\n["invalid_regexp","*","nothing to repeat"]',
  },
  'rabbitmqctl list_user_topic_permissions alice': {
    why: 'a table has a header',
    stdout: 'Listing topic permissions for user "alice" ...\nvhost\texchange\twrite\tread\n/\tamq.topic\t^a\t^b',
  },
  'rabbitmqctl set_policy bad "*" {"max-length":5}': {
    why: 'without the position, which is that of another regular expression engine',
    stderr: 'Error:\nValidation failed\n\npattern should be regular expression but is invalid: nothing to repeat',
  },
  'rabbitmqctl set_policy --apply-to stuff bad ".*" {"max-length":5}': {
    why: 'the words of later releases, which know more kinds',
    stderr:
      "Error:\nValidation failed\n\napply-to 'stuff' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'",
  },
  'rabbitmqctl list_queues name durable arguments policy --formatter json': {
    why: plainArguments,
    stdout:
      '[\n{"name":"a queue\\twith tab","durable":true,"arguments":{},"policy":"ttl"}\n,{"name":"orders","durable":true,"arguments":{"x-max-length":10,"x-dead-letter-exchange":"dlx"},"policy":"ttl"}\n]',
  },
  'rabbitmqctl list_queues name arguments durable --formatter erlang': {
    why: 'arguments without their types, on one line',
    stdout:
      'Timeout: 60.0 seconds ...\nListing queues for vhost / ...\n[[{name,<<"a queue\\twith tab">>},{arguments,[]},{durable,true}],\n [{name,<<"orders">>},{arguments,[{<<"x-max-length">>,10},{<<"x-dead-letter-exchange">>,<<"dlx">>}]},{durable,true}]]',
  },
  'rabbitmqctl list_bindings source_name destination_name arguments --formatter json': {
    why: plainArguments,
    stdout:
      '[\n{"source_name":"","destination_name":"a queue\\twith tab","arguments":{}}\n,{"source_name":"","destination_name":"orders","arguments":{}}\n,{"source_name":"dlx","destination_name":"orders","arguments":{"b":true,"n":1,"s":"t"}}\n]',
  },
  'rabbitmqctl close_connection "nopid" bye': {
    why: 'connections are named, they have no process ids',
    stderr: "Error:\nthere is no connection 'nopid'",
  },
  'rabbitmqctl trace_on -p nope': {
    why: 'a virtual host that is not there cannot be traced',
    code: 65,
    stdout: 'Starting tracing for vhost "nope" ...',
    stderr: "Virtual host 'nope' does not exist",
  },
  'rabbitmqctl set_vm_memory_high_watermark abc': {
    why: 'what is bad about the argument',
    stderr: 'Error (argument validation): Bad argument: The threshold should be a number',
  },
  'rabbitmqctl set_disk_free_limit 5XB': {
    why: 'what is bad about the argument',
    stderr: 'Error (argument validation): Bad argument: Invalid units.',
  },
};

for (const line of ['rabbitmqctl ping', 'rabbitmq-diagnostics ping']) {
  known[line] = {
    why: 'what it checks is said',
    stdout: 'Will ping the broker. This only checks if the process is running and answers. Timeout: 60000 ms.\nPing succeeded',
  };
}
for (const name of ['await_online_quorum_plus_one', 'await_online_synchronized_mirror']) {
  known[`rabbitmq-upgrade ${name}`] = {
    why: 'it does not wait',
    stdout: 'Target node seems to be the only one in a single node cluster, the command does not apply',
  };
}

export const knownDifferences: Readonly<Record<string, KnownDifference>> = known;

/** Command lines whose answer has more of what RabbitMQ has, or other names of it: each line of RabbitMQ's must be there. */
export const supersets: readonly string[] = ['rabbitmqctl list_feature_flags', 'rabbitmqctl list_feature_flags name state'];

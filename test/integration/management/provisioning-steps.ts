// What programs that furnish a broker send, each in the body that it writes: rabbit-hole (Go), as its own tests use it, and RabbitMQ's Terraform
// provider, which is made of it: a resource is made, read, made again (no drift), changed, deleted and looked for. Answers are compared to the
// letter with those of RabbitMQ 3.10 with its plugins of shovels and federation. [rabbit-hole 2 and 3; terraform-provider-rabbitmq 1]
import type { Step } from './scenario.ts';

const vhost = 'pro%2Fvision';
const all = '{"configure":".*","write":".*","read":".*"}';

/** The steps of a resource: made, there, made again as it is, changed, there, deleted, gone. */
function resource(path: string, first: object, second: object, columns = ''): Step[] {
  return [
    `GET ${path}`,
    `PUT ${path} ${JSON.stringify(first)}`,
    `GET ${path}${columns}`,
    `PUT ${path} ${JSON.stringify(first)}`,
    `PUT ${path} ${JSON.stringify(second)}`,
    `GET ${path}${columns}`,
    `DELETE ${path}`,
    `DELETE ${path}`,
    `GET ${path}`,
  ];
}

/** What is wrong with the value of a parameter is told at once, all of it. */
function refused(component: string, values: readonly unknown[]): Step[] {
  return values.map(value => `PUT /api/parameters/${component}/${vhost}/bad ${JSON.stringify({ value })}`);
}

function shovel(changes: object): object {
  return {
    'dest-uri': ['amqp://127.0.0.1:1/%2f'],
    'src-uri': ['amqp://127.0.0.1:1/%2f'],
    'src-queue': 'mySourceQueue',
    'dest-queue': 'myDestQueue',
    ...changes,
  };
}

/** In the order of a Go struct, with what it leaves out when it is zero. */
const upstream = {
  uri: ['amqp://127.0.0.1:1/%2f'],
  'prefetch-count': 1000,
  'reconnect-delay': 1,
  'ack-mode': 'on-confirm',
  'trust-user-id': false,
};

export const provisioningSteps: readonly Step[] = [
  // virtual hosts, limits
  `PUT /api/vhosts/${vhost} {"description":"made by a plan","tags":"production,eu-west-1","default_queue_type":"","tracing":false}`,
  `GET /api/vhosts/${vhost}?columns=name,description,tags,tracing,default_queue_type`,
  `PUT /api/vhosts/${vhost} {"description":"changed","tags":["production"],"tracing":false}`,
  `GET /api/vhosts/${vhost}?columns=name,description,tags,tracing`,
  `PUT /api/permissions/${vhost}/guest ${all}`,
  `GET /api/vhost-limits/${vhost}`,
  `PUT /api/vhost-limits/${vhost}/max-connections {"value":1}`,
  `PUT /api/vhost-limits/${vhost}/max-queues {"value":20}`,
  `GET /api/vhost-limits/${vhost}`,
  `DELETE /api/vhost-limits/${vhost}/max-connections`,
  `DELETE /api/vhost-limits/${vhost}/max-queues`,
  `DELETE /api/vhost-limits/${vhost}/max-queues`,
  `GET /api/vhost-limits/${vhost}`,
  'DELETE /api/vhosts/pro.none',
  'GET /api/vhosts/pro.none',

  // users: tags as a text and as a list, hashes, none
  ...resource(
    '/api/users/pro.app',
    { name: '', tags: 'monitoring,management', password: 'first' },
    { name: '', tags: ['management'], password: 'second' },
    '?columns=name,tags,hashing_algorithm',
  ),
  'PUT /api/users/pro.hash {"name":"","tags":"policymaker,management","password_hash":"kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR","hashing_algorithm":"rabbit_password_hashing_sha256"}',
  'PUT /api/users/pro.hash {"name":"","tags":"management","password_hash":"s3krE7-s3t-v!a-4A$h","hashing_algorithm":"rabbit_password_hashing_sha256"}',
  'PUT /api/users/pro.hash {"name":"","password_hash":"","tags":"policymaker,management"}',
  'GET /api/users/pro.hash',
  'PUT /api/users/pro.hash {"name":"","tags":""}',

  // permissions of both kinds
  ...resource(
    `/api/permissions/${vhost}/pro.hash`,
    { configure: '', write: '.*', read: '^a' },
    { configure: 'log.*', write: 'log.*', read: 'log.*' },
  ),
  `PUT /api/permissions/${vhost}/pro.none ${all}`,
  `PUT /api/permissions/pro.none/pro.hash ${all}`,
  `PUT /api/permissions/${vhost}/pro.hash {"configure":"(","write":"","read":""}`,
  `GET /api/topic-permissions/${vhost}/pro.hash`,
  `PUT /api/topic-permissions/${vhost}/pro.hash {"exchange":"amq.topic","write":"log.*","read":"log.*"}`,
  `PUT /api/topic-permissions/${vhost}/pro.hash {"exchange":"foobar","write":"log.*","read":""}`,
  `PUT /api/topic-permissions/${vhost}/pro.hash {"exchange":"foobar","write":"log.*","read":""}`,
  `DELETE /api/topic-permissions/${vhost}/pro.hash/foobar`,
  `DELETE /api/topic-permissions/${vhost}/pro.hash/foobar`,
  'GET /api/users/pro.hash/topic-permissions',
  `DELETE /api/topic-permissions/${vhost}/pro.hash`,
  `DELETE /api/topic-permissions/${vhost}/pro.hash`,
  `GET /api/topic-permissions/${vhost}/pro.hash`,
  'GET /api/users/pro.hash/permissions',
  'GET /api/users/pro.none/permissions',

  // exchanges and queues; what is equal is not made again, what is not is refused
  ...['{"type":"topic","durable":true,"auto_delete":false}', '{"type":"topic","durable":true,"auto_delete":false,"arguments":{}}'].map(
    body => `PUT /api/exchanges/${vhost}/events ${body}`,
  ),
  `PUT /api/exchanges/${vhost}/events {"type":"fanout","durable":true,"auto_delete":false,"arguments":{}}`,
  `GET /api/exchanges/${vhost}/events?columns=name,vhost,type,durable,auto_delete,internal,arguments,incoming,outgoing`,
  `PUT /api/exchanges/${vhost}/archive {"type":"fanout","durable":false,"auto_delete":false,"arguments":{"alternate-exchange":"events"}}`,
  `GET /api/exchanges/${vhost}/archive?columns=durable,arguments`,
  `GET /api/exchanges/${vhost}/amq.fanout?columns=name,vhost,type,durable,auto_delete,internal,arguments,incoming,outgoing`,
  `PUT /api/queues/${vhost}/orders {"type":"","durable":true,"auto_delete":false,"arguments":{"x-message-ttl":5000,"x-queue-type":"quorum"}}`,
  `PUT /api/queues/${vhost}/orders {"type":"","durable":true,"auto_delete":false,"arguments":{"x-message-ttl":5000,"x-queue-type":"quorum"}}`,
  `PUT /api/queues/${vhost}/orders {"type":"","durable":true,"auto_delete":false,"arguments":{"x-message-ttl":5001,"x-queue-type":"quorum"}}`,
  `GET /api/queues/${vhost}/orders?columns=name,vhost,durable,auto_delete,exclusive,arguments,type`,
  // Terraform's maps hold texts only: a number in one is refused as a text, whence arguments_json.
  `PUT /api/queues/${vhost}/texts {"durable":true,"auto_delete":false,"arguments":{"x-message-ttl":"5000"}}`,
  `PUT /api/queues/${vhost}/temporary {"durable":false,"auto_delete":false,"arguments":{}}`,
  `GET /api/queues/${vhost}/temporary?columns=name,durable,arguments`,
  `POST /api/queues/${vhost}/temporary/actions {"action":"sync"}`,
  `POST /api/queues/${vhost}/temporary/actions {"action":"cancel_sync"}`,
  `DELETE /api/queues/${vhost}/temporary/contents`,
  `DELETE /api/queues/${vhost}/temporary?if-empty=true`,
  `DELETE /api/queues/${vhost}/temporary?if-unused=true`,
  `GET /api/queues/${vhost}/temporary`,

  // bindings, to queues and exchanges: the name comes from the end of Location, arguments make it a hash
  ...[
    [
      'q/orders',
      '{"source":"events","vhost":"","destination":"orders","destination_type":"queue","routing_key":"#","arguments":{"one":"two"},"properties_key":""}',
    ],
    [
      'q/orders',
      '{"source":"events","vhost":"","destination":"orders","destination_type":"queue","routing_key":"#","arguments":{},"properties_key":""}',
    ],
    [
      'q/orders',
      '{"source":"events","vhost":"","destination":"orders","destination_type":"queue","routing_key":"","arguments":{},"properties_key":""}',
    ],
    [
      'q/orders',
      '{"source":"events","vhost":"","destination":"orders","destination_type":"queue","routing_key":"a/b c","arguments":{"t":"x"},"properties_key":""}',
    ],
    [
      'e/archive',
      '{"source":"events","vhost":"","destination":"archive","destination_type":"exchange","routing_key":"#","arguments":{"one":"two"},"properties_key":""}',
    ],
  ].map(([to, body]) => `POST /api/bindings/${vhost}/e/events/${to} ${body}`),
  `GET /api/bindings/${vhost}/e/events/q/orders?sort=properties_key`,
  `GET /api/bindings/${vhost}/e/events/e/archive`,
  `GET /api/exchanges/${vhost}/archive/bindings/destination`,
  `GET /api/queues/${vhost}/orders/bindings?sort=properties_key`,
  // The name escaped for the address, and as people write it.
  ...['%2523~F_63iA', '%23~F_63iA', 'a%252Fb%2Bc~YfkBkw', '%23~other', '~F_63iA'].map(
    name => `GET /api/bindings/${vhost}/e/events/q/orders/${name}`,
  ),
  `DELETE /api/bindings/${vhost}/e/events/q/orders/%23`,
  `DELETE /api/bindings/${vhost}/e/events/q/orders/%23`,
  `DELETE /api/bindings/${vhost}/e/events/q/orders/~`,
  `DELETE /api/bindings/${vhost}/e/events/q/none/~`,
  `GET /api/bindings/${vhost}/e/events/q/none`,
  `GET /api/bindings/${vhost}/e/none/q/orders`,

  // policies of both kinds, with keys of mirrored queues, which mean nothing any more
  ...['policies', 'operator-policies'].flatMap(kind =>
    resource(
      `/api/${kind}/${vhost}/woot`,
      {
        vhost: '',
        pattern: '.*',
        'apply-to': 'queues',
        name: '',
        priority: 0,
        definition: { expires: 100_000, 'max-length-bytes': 100_000 },
      },
      {
        vhost: 'pro/vision',
        pattern: '\\d+',
        'apply-to': 'queues',
        name: 'woot',
        priority: 1,
        definition: { 'max-length': 100, 'message-ttl': 606 },
      },
    ),
  ),
  ...resource(
    `/api/policies/${vhost}/mirrored`,
    { vhost: '', pattern: 'abc', 'apply-to': 'all', name: '', priority: 0, definition: { expires: 100, 'ha-mode': 'all' } },
    {
      vhost: '',
      pattern: 'abc',
      'apply-to': 'exchanges',
      name: '',
      priority: 0,
      definition: { 'ha-mode': 'nodes', 'ha-params': ['a', 'b', 'c'], 'max-length': 100 },
    },
  ),
  `PUT /api/policies/${vhost}/federated {"vhost":"","pattern":"^none$","apply-to":"exchanges","name":"","priority":0,"definition":{"federation-upstream":"myUpstream"}}`,
  `DELETE /api/policies/${vhost}/federated`,
  `PUT /api/operator-policies/${vhost}/limited {"vhost":"","pattern":"^none$","apply-to":"queues","name":"","priority":0,"definition":{"expires":100000,"delivery-limit":202}}`,
  `GET /api/operator-policies/${vhost}/limited`,
  `DELETE /api/operator-policies/${vhost}/limited`,
  `PUT /api/policies/${vhost}/texts {"vhost":"","pattern":".*","apply-to":"queues","name":"","priority":0,"definition":{"max-length":"100"}}`,
  `GET /api/policies/${vhost}`,
  `GET /api/operator-policies/${vhost}`,

  // upstreams of federation
  'GET /api/parameters/federation-upstream',
  `GET /api/parameters/federation-upstream/${vhost}`,
  ...resource(
    `/api/parameters/federation-upstream/${vhost}/up`,
    { value: { ...upstream, 'max-hops': 1, expires: 1_800_000, 'message-ttl': 360_000 } },
    { value: { ...upstream, uri: ['amqp://127.0.0.1:1/%2f', 'amqp://127.0.0.1:2/%2f'], 'ack-mode': 'no-ack', 'trust-user-id': true } },
  ),
  ...resource(
    `/api/parameters/federation-upstream/${vhost}/first`,
    {
      name: 'first',
      vhost: 'pro/vision',
      component: 'federation-upstream',
      value: { uri: 'amqp://127.0.0.1:1', 'ack-mode': 'on-publish' },
    },
    {
      value: {
        uri: 'amqp://127.0.0.1:1',
        exchange: 'x',
        queue: 'q',
        'consumer-tag': 't',
        'bind-nowait': true,
        'resource-cleanup-mode': 'never',
      },
    },
  ),
  `PUT /api/parameters/federation-upstream/${vhost}/zeros {"value":{"uri":"amqp://127.0.0.1:1","expires":0,"message-ttl":0,"max-hops":0,"prefetch-count":0,"reconnect-delay":0,"trust-user-id":false,"exchange":"","queue":""}}`,
  `GET /api/parameters/federation-upstream/${vhost}/zeros`,
  `DELETE /api/parameters/federation-upstream/${vhost}/zeros`,
  ...refused('federation-upstream', [
    { uri: null, 'trust-user-id': false },
    {},
    [],
    { uri: 7 },
    { uri: '' },
    { uri: [] },
    { uri: ['amqp://127.0.0.1:1', 7] },
    { uri: 'http://127.0.0.1' },
    { uri: 'amqp://127.0.0.1?heartbeat=x' },
    { uri: 'not a uri' },
    { uri: 'amqp://127.0.0.1', 'ack-mode': 'sometimes' },
    { uri: 'amqp://127.0.0.1', 'prefetch-count': -1 },
    { uri: 'amqp://127.0.0.1', 'prefetch-count': '5' },
    { uri: 'amqp://127.0.0.1', 'prefetch-count': 1.5 },
    { uri: 'amqp://127.0.0.1', 'reconnect-delay': -1 },
    { uri: 'amqp://127.0.0.1', 'reconnect-delay': 'x' },
    { uri: 'amqp://127.0.0.1', 'reconnect-delay': 0.5 },
    { uri: 'amqp://127.0.0.1', 'max-hops': 'x' },
    { uri: 'amqp://127.0.0.1', expires: 'x' },
    { uri: 'amqp://127.0.0.1', expires: null },
    { uri: 'amqp://127.0.0.1', 'message-ttl': 'x' },
    { uri: 'amqp://127.0.0.1', 'trust-user-id': 'yes' },
    { uri: 'amqp://127.0.0.1', exchange: 1 },
    { uri: 'amqp://127.0.0.1', queue: 1 },
    { uri: 'amqp://127.0.0.1', 'ha-policy': 1 },
    { uri: 'amqp://127.0.0.1', 'resource-cleanup-mode': 'sometimes' },
    { uri: 'amqp://127.0.0.1', other: 1, more: [1, 'x'] },
    { uri: 7, 'prefetch-count': 'x', other: true },
  ]),
  `PUT /api/parameters/federation-upstream-set/${vhost}/set {"value":[{"upstream":"up"},{"upstream":"first","exchange":"x"}]}`,
  `GET /api/parameters/federation-upstream-set/${vhost}/set`,
  `DELETE /api/parameters/federation-upstream-set/${vhost}/set`,
  ...refused('federation-upstream-set', [{}, [{}], [{ upstream: 1 }], [{ upstream: 'up', other: 1 }], []]),
  `DELETE /api/parameters/federation-upstream-set/${vhost}/bad`,
  'GET /api/federation-links',
  `GET /api/federation-links/${vhost}`,

  // shovels
  `GET /api/parameters/shovel/${vhost}`,
  `GET /api/shovels/${vhost}`,
  ...resource(
    `/api/parameters/shovel/${vhost}/temporary`,
    {
      value: {
        'dest-uri': ['amqp://127.0.0.1:1/%2f', 'amqp://localhost:1/%2f'],
        'src-uri': ['amqp://127.0.0.1:1/%2f'],
        'ack-mode': 'on-confirm',
        'dest-add-forward-headers': true,
        'dest-add-timestamp-header': true,
        'dest-address': 'myDestQueue',
        'dest-protocol': 'amqp10',
        'src-address': 'mySourceQueue',
        'src-delete-after': 'never',
        'src-prefetch-count': 42,
        'src-protocol': 'amqp10',
      },
    },
    { value: shovel({ 'ack-mode': 'on-confirm', 'add-forward-headers': true, 'delete-after': 42 }) },
  ),
  `PUT /api/parameters/shovel/${vhost}/moved {"value":${JSON.stringify(shovel({ 'ack-mode': 'on-confirm', 'dest-protocol': 'amqp091', 'src-protocol': 'amqp091', 'reconnect-delay': 1 }))}}`,
  `DELETE /api/parameters/shovel/${vhost}/moved`,
  `PUT /api/parameters/shovel/${vhost}/exchanges {"value":{"src-uri":"amqp://127.0.0.1:1","dest-uri":"amqp://127.0.0.1:1","src-exchange":"a","src-exchange-key":"k","dest-exchange":"b","dest-exchange-key":"l","dest-publish-properties":{"delivery_mode":2},"src-queue-args":{"x-queue-type":"quorum"}}}`,
  `DELETE /api/parameters/shovel/${vhost}/exchanges`,
  ...refused('shovel', [
    {},
    [],
    { 'src-uri': 'amqp://127.0.0.1:1', 'dest-uri': 'amqp://127.0.0.1:1' },
    { 'src-uri': 'amqp://127.0.0.1:1', 'dest-uri': 'amqp://127.0.0.1:1', 'src-queue': 'q' },
    { 'src-uri': 'amqp://127.0.0.1:1', 'dest-uri': 'amqp://127.0.0.1:1', 'src-exchange': 'x', 'dest-queue': 'q', 'src-exchange-key': 1 },
    { 'src-uri': 'amqp://127.0.0.1:1', 'dest-uri': 'amqp://127.0.0.1:1', 'src-protocol': 'amqp10' },
    {
      'src-uri': 'amqp://127.0.0.1:1',
      'dest-uri': 'amqp://127.0.0.1:1',
      'src-protocol': 'amqp10',
      'dest-protocol': 'amqp10',
      'src-address': 'a',
    },
    shovel({ 'src-exchange': 'x' }),
    shovel({ 'dest-exchange': 'x' }),
    shovel({ 'src-uri': 7 }),
    shovel({ 'src-uri': [] }),
    shovel({ 'src-uri': ['http://x'] }),
    shovel({ 'src-queue': 7 }),
    shovel({ 'dest-queue': 7 }),
    shovel({ 'ack-mode': 'sometimes' }),
    shovel({ 'ack-mode': 1 }),
    shovel({ 'delete-after': 'soon' }),
    shovel({ 'delete-after': -1 }),
    shovel({ 'delete-after': 'queue-length' }),
    shovel({ 'src-delete-after': 0 }),
    shovel({ 'prefetch-count': -1 }),
    shovel({ 'src-prefetch-count': 'x' }),
    shovel({ 'reconnect-delay': 'x' }),
    shovel({ 'reconnect-delay': -1 }),
    shovel({ 'reconnect-delay': 1.5 }),
    shovel({ 'add-forward-headers': 'yes' }),
    shovel({ 'dest-add-forward-headers': 1 }),
    shovel({ 'dest-add-timestamp-header': 'yes' }),
    shovel({ 'add-timestamp-header': 'yes' }),
    shovel({ 'publish-properties': 7 }),
    shovel({ 'publish-properties': { delivery_mode: 7 } }),
    shovel({ 'publish-properties': { nonsense: 7 } }),
    shovel({ 'dest-publish-properties': { delivery_mode: 'two', nonsense: true, priority: 'x', headers: 1 } }),
    shovel({ other: 1 }),
    shovel({ 'src-address': 'x' }),
  ]),
  `GET /api/parameters/shovel/${vhost}`,
  `DELETE /api/parameters/shovel/${vhost}/bad`,
  `DELETE /api/parameters/federation-upstream/${vhost}/bad`,
  `GET /api/shovels/${vhost}`,

  // parameters of any kind, and those of the whole broker
  'PUT /api/global-parameters/pro.a {"name":"pro.a","value":"a-value"}',
  'PUT /api/global-parameters/pro.b {"name":"pro.b","value":["another-value"]}',
  'PUT /api/global-parameters/pro.c {"name":"pro.c","value":{"endpoints":["amqp://server-name"]}}',
  'GET /api/global-parameters/pro.a',
  'GET /api/global-parameters/pro.c',
  ...['a', 'b', 'c', 'c'].map(name => `DELETE /api/global-parameters/pro.${name}`),
  'GET /api/global-parameters/pro.c',
  'PUT /api/cluster-name {"name":"pro@vision"}',
  'GET /api/cluster-name',
  'GET /api/global-parameters?columns=name',
  'PUT /api/cluster-name {"name":"{node}"}',

  // all of a virtual host goes with it
  `PUT /api/parameters/federation-upstream/${vhost}/left {"value":{"uri":"amqp://127.0.0.1:1"}}`,
  `DELETE /api/vhosts/${vhost}`,
  `DELETE /api/vhosts/${vhost}`,
  'GET /api/parameters/federation-upstream',
  'DELETE /api/users/pro.hash',
];

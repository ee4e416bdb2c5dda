// Requests that are answered differently from RabbitMQ 3.10 on purpose, each with the reason. (docs/DIFFERENCES.md)

export interface KnownAnswer {
  readonly status: number;
  readonly body: string;
  readonly reason: string;
}

export const knownDifferences: ReadonlyMap<string, KnownAnswer> = new Map<string, KnownAnswer>([
  [
    'user=nobody GET /api/queues/an/q1',
    {
      status: 401,
      body: '{"error":"not_authorized","reason":"Login failed"}',
      reason: 'RabbitMQ sends no body to those without credentials; every error of ours has one',
    },
  ],
  [
    'GET /api/exchanges/an/amq.default',
    {
      status: 200,
      body: '{"arguments":{},"auto_delete":false,"durable":true,"incoming":[],"internal":false,"name":"","outgoing":[],"type":"direct","user_who_performed_action":"rmq-internal","vhost":"an"}',
      reason: 'who made something is not kept; predeclared exchanges are made by the broker',
    },
  ],
  [
    'GET /api/exchanges/an/e3',
    {
      status: 200,
      body: '{"arguments":{"alternate-exchange":"x"},"auto_delete":false,"durable":false,"incoming":[],"internal":true,"name":"e3","outgoing":[],"type":"topic","user_who_performed_action":"","vhost":"an"}',
      reason: 'who made something is not kept',
    },
  ],
  [
    'POST /api/users/bulk-delete {"users":["an-2"]}',
    { status: 204, body: '', reason: 'RabbitMQ deletes up to the first name that is unknown; here all or none are deleted' },
  ],
  [
    'GET /api/queues/an/q1?columns=policy,effective_policy_definition',
    {
      status: 200,
      body: '{"effective_policy_definition":{"max-length":10},"policy":"p1"}',
      reason: "RabbitMQ's statistics lag behind by some seconds; here a policy shows at once",
    },
  ],
]);

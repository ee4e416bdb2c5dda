// The bodies that routes take, for the description of the API. What is taken is decided by the handlers.
import type { BodyDescription } from './route.ts';

const text = { type: 'string' };
const flag = { type: 'boolean' };
const number = { type: 'integer' };
const object = { type: 'object' };
const tags = { type: ['string', 'array'], description: 'a list, or texts separated by commas' };

export const queueBody: BodyDescription = {
  properties: { durable: flag, auto_delete: flag, arguments: object, node: text },
};
export const shapeBody: BodyDescription = {
  required: ['arguments'],
  properties: { arguments: { type: 'object', description: 'all arguments that the queue is to have, x-queue-type among them' } },
};
export const exchangeBody: BodyDescription = {
  properties: { type: text, durable: flag, auto_delete: flag, internal: flag, arguments: object },
};
export const bindingBody: BodyDescription = { properties: { routing_key: text, arguments: object } };
export const publishBody: BodyDescription = {
  required: ['properties', 'routing_key', 'payload', 'payload_encoding'],
  properties: {
    properties: object,
    routing_key: text,
    payload: text,
    payload_encoding: { type: 'string', description: 'string or base64' },
  },
};
export const getBody: BodyDescription = {
  required: ['count', 'ackmode', 'encoding'],
  properties: {
    count: number,
    ackmode: { type: 'string', description: 'ack_requeue_true, ack_requeue_false, reject_requeue_true or reject_requeue_false' },
    encoding: { type: 'string', description: 'auto or base64' },
    truncate: number,
  },
};
export const moveBody: BodyDescription = {
  properties: {
    destination: { type: 'string', description: 'a queue; or' },
    exchange: text,
    count: number,
    ids: { type: 'array', description: 'ids of messages' },
    dry_run: flag,
    rate: { type: 'integer', description: 'messages a second' },
    copy: { type: 'boolean', description: 'the messages stay where they are, too' },
  },
};
export const groupBody: BodyDescription = {
  properties: { key: { type: 'string', description: 'of the group; for unpark, all when left out' } },
};
export const redriveBody: BodyDescription = {
  properties: {
    queue: { type: 'string', description: 'only what came from this queue' },
    count: number,
    ids: { type: 'array', description: 'ids of messages' },
    dry_run: flag,
    rate: { type: 'integer', description: 'messages a second' },
  },
};
export const explainBody: BodyDescription = { properties: { routing_key: text, headers: object } };
export const rescheduleBody: BodyDescription = {
  properties: {
    delay: { type: 'integer', description: 'milliseconds from now' },
    deliver_at: { type: ['integer', 'string'], description: 'Unix time in milliseconds, or RFC 3339' },
  },
};
export const actionBody: BodyDescription = { required: ['action'], properties: { action: text } };
export const vhostBody: BodyDescription = {
  properties: { description: text, tags, default_queue_type: text, tracing: flag, protected_from_deletion: flag },
};
export const userBody: BodyDescription = {
  required: ['tags'],
  properties: { password: text, password_hash: text, hashing_algorithm: text, tags },
};
export const usersBody: BodyDescription = { required: ['users'], properties: { users: { type: 'array' } } };
export const permissionBody: BodyDescription = {
  required: ['configure', 'write', 'read'],
  properties: { configure: text, write: text, read: text },
};
export const topicPermissionBody: BodyDescription = {
  required: ['exchange', 'write', 'read'],
  properties: { exchange: text, write: text, read: text },
};
export const policyBody: BodyDescription = {
  required: ['pattern', 'definition'],
  properties: { pattern: text, definition: object, priority: number, 'apply-to': text },
};
export const valueBody: BodyDescription = {
  required: ['value'],
  properties: { value: { type: ['object', 'array', 'string', 'number', 'boolean', 'null'] } },
};
export const limitBody: BodyDescription = { required: ['value'], properties: { value: number } };
export const nameBody: BodyDescription = { required: ['name'], properties: { name: text } };
export const loginBody: BodyDescription = { required: ['username', 'password'], properties: { username: text, password: text } };
export const logLevelBody: BodyDescription = {
  required: ['level'],
  properties: {
    level: text,
    category: { type: 'string', description: 'connection, channel, queue, default, upgrade or store; all by default' },
  },
};
export const memoryWatermarkBody: BodyDescription = {
  properties: { relative: { type: 'number', description: 'part of the memory; or' }, absolute: { type: 'integer', description: 'bytes' } },
};
export const diskFreeLimitBody: BodyDescription = {
  properties: {
    absolute: { type: 'integer', description: 'bytes; or' },
    mem_relative: { type: 'number', description: 'times the memory' },
  },
};
export const nodeActionBody: BodyDescription = {
  required: ['action'],
  properties: {
    action: {
      type: 'string',
      description: 'stop_app, start_app, reset, suspend_listeners, resume_listeners, collect_garbage or reopen_logs',
    },
  },
};
export const definitionsBody: BodyDescription = {
  properties: Object.fromEntries(
    [
      'users',
      'vhosts',
      'permissions',
      'topic_permissions',
      'parameters',
      'global_parameters',
      'policies',
      'queues',
      'exchanges',
      'bindings',
    ].map(section => [section, { type: 'array' }]),
  ),
};

// The methods of AMQP 0-9-1 with RabbitMQ's extensions, as one line each: `class.method name field:type ...`.
// The runner has its own table and codec on purpose: what it sends and reads must not depend on the code that it judges, it has to send
// wrong things too, and it addresses every method and field by name from a text file.

export type FieldType = 'bit' | 'octet' | 'short' | 'long' | 'longlong' | 'shortstr' | 'longstr' | 'table';

export interface MethodField {
  readonly name: string;
  readonly type: FieldType;
}

export interface MethodShape {
  readonly classId: number;
  readonly methodId: number;
  readonly name: string;
  readonly fields: readonly MethodField[];
  /** True for `basic.publish`, `basic.return`, `basic.deliver` and `basic.get-ok`: a header frame and body frames follow. */
  readonly hasContent: boolean;
}

/** Fields that the protocol reserves: sent as zero unless the script says otherwise, never printed. */
export const reservedFields = new Set(['ticket', 'capabilities', 'insist', 'known-hosts', 'out-of-band', 'channel-id', 'cluster-id']);

const lines = `
10.10 connection.start version-major:octet version-minor:octet server-properties:table mechanisms:longstr locales:longstr
10.11 connection.start-ok client-properties:table mechanism:shortstr response:longstr locale:shortstr
10.20 connection.secure challenge:longstr
10.21 connection.secure-ok response:longstr
10.30 connection.tune channel-max:short frame-max:long heartbeat:short
10.31 connection.tune-ok channel-max:short frame-max:long heartbeat:short
10.40 connection.open virtual-host:shortstr capabilities:shortstr insist:bit
10.41 connection.open-ok known-hosts:shortstr
10.50 connection.close reply-code:short reply-text:shortstr class-id:short method-id:short
10.51 connection.close-ok
10.60 connection.blocked reason:shortstr
10.61 connection.unblocked
10.70 connection.update-secret new-secret:longstr reason:shortstr
10.71 connection.update-secret-ok
20.10 channel.open out-of-band:shortstr
20.11 channel.open-ok channel-id:longstr
20.20 channel.flow active:bit
20.21 channel.flow-ok active:bit
20.40 channel.close reply-code:short reply-text:shortstr class-id:short method-id:short
20.41 channel.close-ok
30.10 access.request realm:shortstr exclusive:bit passive:bit active:bit write:bit read:bit
30.11 access.request-ok ticket:short
40.10 exchange.declare ticket:short exchange:shortstr type:shortstr passive:bit durable:bit auto-delete:bit internal:bit nowait:bit arguments:table
40.11 exchange.declare-ok
40.20 exchange.delete ticket:short exchange:shortstr if-unused:bit nowait:bit
40.21 exchange.delete-ok
40.30 exchange.bind ticket:short destination:shortstr source:shortstr routing-key:shortstr nowait:bit arguments:table
40.31 exchange.bind-ok
40.40 exchange.unbind ticket:short destination:shortstr source:shortstr routing-key:shortstr nowait:bit arguments:table
40.51 exchange.unbind-ok
50.10 queue.declare ticket:short queue:shortstr passive:bit durable:bit exclusive:bit auto-delete:bit nowait:bit arguments:table
50.11 queue.declare-ok queue:shortstr message-count:long consumer-count:long
50.20 queue.bind ticket:short queue:shortstr exchange:shortstr routing-key:shortstr nowait:bit arguments:table
50.21 queue.bind-ok
50.30 queue.purge ticket:short queue:shortstr nowait:bit
50.31 queue.purge-ok message-count:long
50.40 queue.delete ticket:short queue:shortstr if-unused:bit if-empty:bit nowait:bit
50.41 queue.delete-ok message-count:long
50.50 queue.unbind ticket:short queue:shortstr exchange:shortstr routing-key:shortstr arguments:table
50.51 queue.unbind-ok
60.10 basic.qos prefetch-size:long prefetch-count:short global:bit
60.11 basic.qos-ok
60.20 basic.consume ticket:short queue:shortstr consumer-tag:shortstr no-local:bit no-ack:bit exclusive:bit nowait:bit arguments:table
60.21 basic.consume-ok consumer-tag:shortstr
60.30 basic.cancel consumer-tag:shortstr nowait:bit
60.31 basic.cancel-ok consumer-tag:shortstr
60.40 basic.publish ticket:short exchange:shortstr routing-key:shortstr mandatory:bit immediate:bit
60.50 basic.return reply-code:short reply-text:shortstr exchange:shortstr routing-key:shortstr
60.60 basic.deliver consumer-tag:shortstr delivery-tag:longlong redelivered:bit exchange:shortstr routing-key:shortstr
60.70 basic.get ticket:short queue:shortstr no-ack:bit
60.71 basic.get-ok delivery-tag:longlong redelivered:bit exchange:shortstr routing-key:shortstr message-count:long
60.72 basic.get-empty cluster-id:shortstr
60.80 basic.ack delivery-tag:longlong multiple:bit
60.90 basic.reject delivery-tag:longlong requeue:bit
60.100 basic.recover-async requeue:bit
60.110 basic.recover requeue:bit
60.111 basic.recover-ok
60.120 basic.nack delivery-tag:longlong multiple:bit requeue:bit
85.10 confirm.select nowait:bit
85.11 confirm.select-ok
90.10 tx.select
90.11 tx.select-ok
90.20 tx.commit
90.21 tx.commit-ok
90.30 tx.rollback
90.31 tx.rollback-ok
`;

const contentMethods = new Set(['basic.publish', 'basic.return', 'basic.deliver', 'basic.get-ok']);

const shapes: MethodShape[] = lines
  .trim()
  .split('\n')
  .map(line => {
    const [ids = '', name = '', ...fields] = line.split(' ');
    const [classId, methodId] = ids.split('.').map(Number);
    return {
      classId: classId ?? 0,
      methodId: methodId ?? 0,
      name,
      fields: fields.map(field => {
        const [fieldName = '', type = ''] = field.split(':');
        return { name: fieldName, type: type as FieldType };
      }),
      hasContent: contentMethods.has(name),
    };
  });

export const methodsByName: ReadonlyMap<string, MethodShape> = new Map(shapes.map(shape => [shape.name, shape]));
export const methodsById: ReadonlyMap<string, MethodShape> = new Map(shapes.map(shape => [`${shape.classId}.${shape.methodId}`, shape]));

/** Methods that a client sends and the server answers (unless `nowait` is set): the player waits for the answer. */
export function isSynchronous(name: string): boolean {
  return name === 'basic.get' || methodsByName.has(`${name}-ok`);
}

/** The fourteen properties of class basic in the order of their flag bits, from bit 15 down. */
export const basicProperties: readonly { readonly name: string; readonly type: 'shortstr' | 'octet' | 'table' | 'timestamp' }[] = [
  { name: 'content-type', type: 'shortstr' },
  { name: 'content-encoding', type: 'shortstr' },
  { name: 'headers', type: 'table' },
  { name: 'delivery-mode', type: 'octet' },
  { name: 'priority', type: 'octet' },
  { name: 'correlation-id', type: 'shortstr' },
  { name: 'reply-to', type: 'shortstr' },
  { name: 'expiration', type: 'shortstr' },
  { name: 'message-id', type: 'shortstr' },
  { name: 'timestamp', type: 'timestamp' },
  { name: 'type', type: 'shortstr' },
  { name: 'user-id', type: 'shortstr' },
  { name: 'app-id', type: 'shortstr' },
  { name: 'cluster-id', type: 'shortstr' },
];

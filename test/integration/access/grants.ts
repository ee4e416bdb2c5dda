// The matrix of permissions: what an operation needs is written down, and every set of permissions around it is tried.
import assert from 'node:assert/strict';
import { hashPassword } from '../../../src/auth/password.ts';
import { longstr } from '../../../src/base/field-table.ts';
import type { PermissionKind } from '../../../src/core/access/permissions.ts';
import { defaultHashingAlgorithm, noUserLimits } from '../../../src/core/access/user.ts';
import { brokerActor } from '../../../src/core/actor.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Vhost } from '../../../src/core/vhost.ts';

const kinds: readonly PermissionKind[] = ['configure', 'write', 'read'];

/** 'read q': the permission of that kind for the exchange or queue of that name. 'any q': one of the three, whichever. */
export type Need = `${PermissionKind | 'any'} ${string}`;

/** An operation that does what it is for with these permissions, and nothing at all without any one of them. */
export interface Operation<Client> {
  readonly name: string;
  readonly needs: readonly Need[];
  /** Whether a first part of it, which was permitted, stays done when the second is refused. [RabbitMQ: ensure_endpoint of STOMP] */
  readonly isInSteps?: boolean;
  /** Null when it was done, else the words of the refusal. */
  run(client: Client): Promise<string | null> | string | null;
}

export type Permission = Readonly<Record<PermissionKind, string>>;

/** The user whose permissions are tried; the password is the name. */
export const user = 'u';

/** What is there besides that which an operation names itself. */
const known: readonly string[] = ['q', 'g', 'x', 'y', 'n', 'amq\\.default', 'amq\\.topic', 'amq\\.mqtt\\.retained'];

export function addUser(core: BrokerCore, name: string, tags: readonly string[] = []): void {
  const limits = noUserLimits;
  core.access.putUser({ name, passwordHash: hashPassword(name), hashingAlgorithm: defaultHashingAlgorithm, tags: [...tags], limits });
}

function patternOf(names: readonly string[]): string {
  return names.length === 0 ? '' : `^(${[...new Set(names)].join('|')})$`;
}

function permissionOf(granted: ReadonlySet<string>): Permission {
  const [configure = '', write = '', read = ''] = kinds.map(kind =>
    patternOf([...granted].filter(each => each.startsWith(`${kind} `)).map(each => each.slice(kind.length + 1))),
  );
  return { configure, write, read };
}

/** Single permissions that count for an operation. */
function decisive(needs: readonly Need[]): string[] {
  return needs.flatMap(need => (need.startsWith('any ') ? kinds.map(kind => need.replace('any', kind)) : [need]));
}

function isEnough(needs: readonly Need[], has: (permission: string) => boolean): boolean {
  return needs.every(need => decisive([need]).some(has));
}

/**
 * Every subset of the permissions that count, alone and together with all others there are; and every set of the three kinds for all names.
 * Whether it is enough is decided here, without a look at the broker.
 */
function* cellsOf(needs: readonly Need[]): Iterable<{ readonly permission: Permission; readonly isEnough: boolean }> {
  const counting = decisive(needs);
  const names = new Set([...known, ...counting.map(each => each.slice(each.indexOf(' ') + 1))]);
  const others = kinds.flatMap(kind => [...names].map(name => `${kind} ${name}`)).filter(each => !counting.includes(each));
  for (let bits = 0; bits < 2 ** counting.length; bits++) {
    const chosen = counting.filter((_, index) => ((bits >> index) & 1) === 1);
    const enough = isEnough(needs, each => chosen.includes(each));
    yield { permission: permissionOf(new Set(chosen)), isEnough: enough };
    yield { permission: permissionOf(new Set([...chosen, ...others])), isEnough: enough };
  }
  for (let bits = 0; bits < 8; bits++) {
    const [configure = '', write = '', read = ''] = kinds.map((_, index) => (((bits >> index) & 1) === 1 ? '.*' : ''));
    const permission = { configure, write, read };
    yield { permission, isEnough: isEnough(needs, each => permission[each.split(' ')[0] as PermissionKind] !== '') };
  }
}

let lastVhost = 0;

/** A virtual host with queues q and g, which has message groups, and exchanges x and y; x is bound to q and y with the key k. */
export function makeVhost(core: BrokerCore, permission: Permission): Vhost {
  const vhost = core.addVhost({ name: `v${++lastVhost}`, description: '', tags: [], defaultQueueType: null });
  const { topology } = core;
  const properties = { isDurable: true, isAutoDelete: false, owner: null };
  topology.declareQueue(vhost, { ...properties, name: 'q', arguments: new Map() }, brokerActor);
  topology.declareQueue(vhost, { ...properties, name: 'g', arguments: new Map([['x-group-header', longstr('key')]]) }, brokerActor);
  for (const [name, type] of [
    ['x', 'topic'],
    ['y', 'fanout'],
  ] as const) {
    const properties = { name, isDurable: true, isAutoDelete: false, isInternal: false, arguments: new Map() };
    topology.declareExchange(vhost, type, properties, brokerActor);
  }
  topology.bind(vhost, 'x', 'queue', 'q', 'k', new Map(), brokerActor);
  topology.bind(vhost, 'x', 'exchange', 'y', 'k', new Map(), brokerActor);
  core.access.putPermission({ user, vhost: vhost.name, ...permission });
  return vhost;
}

/** All there is in a virtual host, and how much of it. */
export function stateOf(vhost: Vhost): string {
  const queues = [...vhost.queues.values()].map(queue => `${queue.name} ${queue.type.name} ${queue.messageCount} ${queue.consumerCount}`);
  const exchanges = [...vhost.exchanges.values()].map(each => `${each.name} ${[...each.bindings.keys()].sort().join(',')}`);
  return [...queues.sort(), ...exchanges.sort()].join('\n');
}

export interface Matrix<Client> {
  readonly core: BrokerCore;
  readonly operations: readonly Operation<Client>[];
  /** A client of the user in the virtual host. */
  readonly connect: (vhost: Vhost) => Promise<Client> | Client;
  readonly close: (client: Client) => void;
}

/** Tries every operation with every set of permissions; returns how many that were. */
export async function tryAll<Client>({ core, operations, connect, close }: Matrix<Client>): Promise<number> {
  let cells = 0;
  for (const operation of operations) {
    for (const { permission, isEnough: expected } of cellsOf(operation.needs)) {
      const vhost = makeVhost(core, permission);
      const client = await connect(vhost);
      const before = stateOf(vhost);
      const refusal = await operation.run(client);
      const cell = `${operation.name} with ${JSON.stringify(permission)}: ${refusal ?? 'done'}`;
      assert.equal(refusal === null, expected, cell);
      if (refusal !== null) {
        assert.match(
          refusal,
          /access to (queue|exchange) '.+' in vhost 'v\d+' refused for user 'u'|^not authorized$|^Access refused\.$/,
          cell,
        );
        if (operation.isInSteps !== true) assert.equal(stateOf(vhost), before, `${cell}, but something has changed`);
      }
      close(client);
      core.deleteVhost(vhost.name);
      cells++;
    }
  }
  return cells;
}

import { CallbackTimer } from '../../base/timer-queue.ts';
import { brokerActor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { Publication } from '../../core/messages/publication.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { type RetainedMessage, RetainedQueue } from '../../core/retained/retained-queue.ts';
import { retainedQueueName, retainedQueueType } from '../../core/retained/retained-queue-type.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { MqttOptions } from './options.ts';
import type { Session } from './session.ts';
import { asRetainedFlag, expiryFlag, qosMask } from './stored-properties.ts';
import type { Subscription } from './subscription.ts';

/** Retained messages put into one session's queue before others get their turn. */
const batchMessages = 200;
/** How many of them may wait there: they must not drive out what else is there. */
const waitingMax = 100;
const pauseMillis = 1;

/** Keeps and hands out the retained messages of all virtual hosts. [MQTT 5.0 3.3.1.3] */
export class RetainedMessages {
  readonly #broker: BrokerCore;
  readonly #limits: MqttOptions['retained'];
  readonly #publication = new Publication();

  constructor(broker: BrokerCore, limits: MqttOptions['retained']) {
    this.#broker = broker;
    this.#limits = limits;
  }

  /** Keeps the publication as the last of its routing key; one without a body takes what is there away. False when there is no room. */
  retain(vhost: Vhost, key: string, p: Publication): boolean {
    if (p.bodyBytes === 0) {
      this.#queue(vhost)?.removeSoon(key);
      return true;
    }
    const queue = this.#queue(vhost) ?? this.#declare(vhost);
    if (queue === null) return false;
    const before = queue.get(key);
    const { messagesMax, bytesMax } = this.#limits;
    if (before === null && queue.readyCount >= messagesMax) return false;
    if (queue.readyBytes - (before?.bytes ?? 0) + p.bodyBytes > bytesMax) return false;
    queue.put(key, p);
    return true;
  }

  /** Sends a new subscription what is retained: into the session's queue, little by little, so that a wildcard holds nobody up. */
  send(session: Session, subscription: Subscription, into: Queue): void {
    const queue = this.#queue(session.vhost);
    if (queue === undefined) return;
    queue.whenRead(() => {
      if (subscription.isWild) this.#sendAll(session, subscription, into, queue, queue.matching(subscription.bindingKey));
      else {
        const message = queue.get(subscription.bindingKey);
        if (message !== null) this.#sendOne(session, into, queue, message, () => {});
      }
    });
  }

  #sendAll(
    session: Session,
    subscription: Subscription,
    into: Queue,
    queue: RetainedQueue,
    messages: Iterator<RetainedMessage | null>,
  ): void {
    const { timers, clock, turn } = this.#broker;
    const isCurrent = (): boolean =>
      !session.isEnded && !into.isDeleted && !queue.isDeleted && session.subscriptions.get(subscription.filter) === subscription;
    const later = (): void => {
      timers.set(new CallbackTimer(goOn), clock.nowMillis + pauseMillis);
      turn.arm();
    };
    const goOn = (): void => {
      for (let count = 0; count < batchMessages && isCurrent(); count++) {
        if (into.readyCount >= waitingMax) break;
        const step = messages.next();
        if (step.done === true) return;
        if (step.value === null) break;
        if (!this.#sendOne(session, into, queue, step.value, goOn)) return;
      }
      if (isCurrent()) later();
    };
    goOn();
  }

  /** Returns false when the message is fetched from disk first; then `then` is called when it is sent. */
  #sendOne(session: Session, into: Queue, queue: RetainedQueue, message: RetainedMessage, then: () => void): boolean {
    const { store, clock } = this.#broker;
    // Another may have taken its place meanwhile.
    if (queue.get(message.key) !== message) return true;
    if (!store.isResident(message.ref)) {
      store.fetch(message.ref, () => {
        if (!session.isEnded && !into.isDeleted && !queue.isDeleted) this.#sendOne(session, into, queue, message, () => {});
        then();
      });
      return false;
    }
    if (!store.isIntact(message.ref)) return true;
    store.locate(message.ref);
    const { loose } = store;
    const p = this.#publication;
    p.envelope = Buffer.from(
      loose === null ? store.bytes.subarray(store.envelopeStart, store.envelopeStart + store.envelopeBytes) : loose.envelope,
    );
    p.envelopeStart = 0;
    p.envelopeBytes = p.envelope.length;
    p.properties = Buffer.from(
      loose === null ? store.bytes.subarray(store.propertiesStart, store.propertiesStart + store.propertiesBytes) : loose.properties,
    );
    p.propertiesStart = 0;
    p.propertiesBytes = p.properties.length;
    const flags = p.properties[0] as number;
    p.properties[0] = flags | asRetainedFlag;
    p.ttlMillis = -1;
    if (message.expiryMillis > 0) {
      p.ttlMillis = message.expiryMillis - clock.nowMillis;
      if ((flags & expiryFlag) !== 0) p.properties.writeUInt32BE(Math.ceil(p.ttlMillis / 1000), 1);
    }
    p.body = loose === null ? Buffer.from(store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes)) : p.body;
    p.bodyStart = 0;
    p.bodyBytes = store.bodyBytes;
    p.large = loose === null ? null : loose.body;
    p.format = mqttFormatTag;
    p.isPersistent = (flags & qosMask) > 0;
    if (into.admits(p)) into.enqueue(p, store.append(p, 1, clock.nowMillis, p.isPersistent && into.isLogging));
    p.large = null;
    return true;
  }

  #queue(vhost: Vhost): RetainedQueue | undefined {
    const queue = vhost.queues.get(retainedQueueName);
    return queue instanceof RetainedQueue ? queue : undefined;
  }

  /** Null when a limit of queues is reached. */
  #declare(vhost: Vhost): RetainedQueue | null {
    const { topology } = this.#broker;
    const declaration = {
      name: retainedQueueName,
      isDurable: true,
      owner: null,
      isAutoDelete: false,
      arguments: new Map([['x-queue-type', { type: 'S' as const, value: retainedQueueType.name }]]),
    };
    try {
      const queue = topology.declareQueue(vhost, declaration, brokerActor);
      return queue instanceof RetainedQueue ? queue : null;
    } catch (error) {
      if (error instanceof BrokerError) return null;
      throw error;
    }
  }
}

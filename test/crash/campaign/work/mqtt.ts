import { bodyBytesOf, makeBody, readBody } from '../body.ts';
import type { FastMqtt } from '../../../support/fast-mqtt.ts';
import { Acknowledger } from '../acknowledger.ts';
import { expectations, type Ledger } from '../ledger.ts';
import { clientIdOf, type MqttState } from '../mqtt-state.ts';
import type { Site } from '../site.ts';
import { barrierTopic, routes } from '../topology.ts';
import { publishers } from './publishers.ts';

/** A session that was told to last has to be there. */
async function connect(site: Site, state: MqttState, role: 'sender' | 'receiver', events: Parameters<Site['mqtt']>[1]): Promise<FastMqtt> {
  const clientId = clientIdOf(role, state.qos);
  const client = await site.mqtt(clientId, events);
  if (state.sessions.has(clientId) && !client.isSessionPresent)
    site.ledger.violation('metadata', `the session of the MQTT client ${clientId} is gone`);
  return client;
}

/** Makes the receiver's session, so that nothing is published before there is somebody to keep it for. */
export async function subscribe(site: Site, state: MqttState): Promise<void> {
  const client = await connect(site, state, 'receiver', {});
  await client.subscribe(state.topic, state.qos);
  state.sessions.add(clientIdOf('receiver', state.qos));
  client.destroy();
}

/**
 * Publishes with QoS 1 or 2. What was under way when the connection broke is sent again with QoS 2, where the broker knows it by its packet
 * id; with QoS 1 it would be another message.
 */
export async function send(site: Site, state: MqttState): Promise<void> {
  const { ledger, random } = site;
  const { qos, unsent, route, topic } = state;
  const client = await connect(site, state, 'sender', {
    acked: ({ name, packetId }) => {
      const message = unsent.get(packetId);
      if (message === undefined) {
        // The last life's answer to a PUBREL may have been lost.
        if (name !== 'pubcomp') ledger.violation('confirms', `${name} for packet ${packetId}, which is not under way`);
        return;
      }
      if (name === 'pubrec') {
        state.sessions.add(clientIdOf('sender', qos));
        if (!message.isReleased) ledger.confirmed(route, message.copy);
        message.isReleased = true;
        client.ack('pubrel', packetId);
        return;
      }
      if (name === 'puback') ledger.confirmed(route, message.copy);
      else if (!message.isReleased) ledger.violation('confirms', `${name} for packet ${packetId}, which was not released`);
      unsent.delete(packetId);
      plan();
    },
  });
  if (qos === 1) unsent.clear();
  for (const [packetId, { payload, isReleased }] of unsent) {
    if (isReleased) client.ack('pubrel', packetId);
    else client.publish(topic, qos, packetId, payload, true);
  }
  let isPlanned = false;
  const pump = (): void => {
    isPlanned = false;
    for (; unsent.size < site.narrowWindow && !site.isOver; ) {
      const copy = ledger.published(route, publishers.mqtt + qos - 1);
      const payload = makeBody(copy, bodyBytesOf(random));
      const packetId = client.nextId(id => unsent.has(id));
      unsent.set(packetId, { copy, payload, isReleased: false });
      client.publish(topic, qos, packetId, payload);
    }
  };
  const plan = (): void => {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(pump);
  };
  pump();
  await client.closed;
}

/** The receiver's end: takes everything, and of QoS 2 nothing twice. */
export class Receiver {
  readonly #state: MqttState;
  readonly #ledger: Ledger;
  readonly #site: Site;
  readonly #acknowledger: Acknowledger;
  #client: FastMqtt | null = null;
  readonly #barriers = new Map<number, { readonly copy: number; readonly confirmed: () => void }>();

  constructor(site: Site, state: MqttState) {
    this.#site = site;
    this.#state = state;
    this.#ledger = site.ledger;
    this.#acknowledger = new Acknowledger(site.ledger, confirmed => this.#publishBarrier(confirmed));
  }

  /** Nothing that was acknowledged is unsure any more. */
  get isIdle(): boolean {
    return this.#acknowledger.isIdle;
  }

  async start(): Promise<FastMqtt> {
    const { qos, queue, received } = this.#state;
    const ledger = this.#ledger;
    ledger.reordered(queue);
    const expectation = qos === 2 ? expectations.once : expectations.inOrder;
    const client = await connect(this.#site, this.#state, 'receiver', {
      published: ({ packetId, payload, isDuplicate }, sender) => {
        const known = received.get(packetId);
        // It is here, and its packet id is not free: it is the same one, sent again.
        if (known === undefined) {
          const copy = ledger.delivered(queue, payload, isDuplicate, expectation);
          if (copy < 0) return;
          this.#acknowledger.acknowledging(copy);
          if (qos === 2) received.set(packetId, copy);
        } else if (readBody(payload) !== known) {
          ledger.violation('wrongBody', `packet ${packetId} is another message when it is sent again`);
        }
        sender.ack(qos === 1 ? 'puback' : 'pubrec', packetId);
        this.#barrierSoon(sender);
      },
      acked: ({ name, packetId }, sender) => {
        if (name === 'pubrel') {
          received.delete(packetId);
          sender.ack('pubcomp', packetId);
        } else if (name === 'puback') {
          const barrier = this.#barriers.get(packetId);
          this.#barriers.delete(packetId);
          if (barrier === undefined) return;
          ledger.confirmed(routes.barrier, barrier.copy);
          barrier.confirmed();
        }
      },
    });
    return client;
  }

  #barrierSoon(client: FastMqtt): void {
    this.#client = client;
    this.#acknowledger.barrier();
  }

  #publishBarrier(confirmed: () => void): void {
    const client = this.#client as FastMqtt;
    const copy = this.#ledger.published(routes.barrier, publishers.mqttBarrier + this.#state.qos - 1);
    const packetId = client.nextId(id => this.#barriers.has(id));
    this.#barriers.set(packetId, { copy, confirmed });
    client.publish(barrierTopic, 1, packetId, makeBody(copy, 64));
  }
}

/** Receives until the broker is gone. */
export async function receive(site: Site, state: MqttState): Promise<void> {
  const client = await new Receiver(site, state).start();
  await client.closed;
}

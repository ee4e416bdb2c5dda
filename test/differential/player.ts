// Plays one case to a broker and returns it with the frames the broker sent after each step.
import { Cleaner } from './cleaner.ts';
import { encodeFrame, encodeHeader, frameBody, frameHeader, frameHeartbeat, printField, argumentText, type Argument } from './frames.ts';
import { type FieldTable, TextReader } from './field-value.ts';
import { isSynchronous } from './method-table.ts';
import { GeneratedNames } from './normalise.ts';
import { Peer, type PeerEvent } from './peer.ts';
import { type Case, type Command, parseCommands, type Step } from './script.ts';
import { Signal } from './signal.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * How long to listen after a step. Without expectations (recording) the player listens until nothing has come for `quietMillis`; with a
 * recording at hand it goes on as soon as the expected number of frames has come, and listens `settleMillis` for more.
 */
export interface Pace {
  readonly quietMillis: number;
  readonly settleMillis: number;
  readonly expected: Case | null;
}

const replyMillisMax = 1500;
const handshakeMillisMax = 6000;

const protocolHeader = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');

export const defaultClientProperties =
  '{capabilities: {authentication_failure_close: true, basic.nack: true, connection.blocked: true, consumer_cancel_notify: true, ' +
  'exchange_exchange_bindings: true, publisher_confirms: true}, product: differential}';

/** Plays a case and removes what it declared. Throws SyntaxError for a script that cannot be played. */
export async function playCase(played: Case, target: Target, pace: Pace): Promise<Case> {
  const player = new Player(played, target, pace);
  try {
    return await player.play();
  } finally {
    await player.leave();
  }
}

class Player {
  readonly #case: Case;
  readonly #target: Target;
  readonly #pace: Pace;
  readonly #names = new GeneratedNames();
  readonly #peers = new Map<string, Peer>();
  readonly #signal = new Signal();
  readonly #declaredQueues = new Set<string>();
  readonly #declaredExchanges = new Set<string>();
  #pendingReply: { peer: Peer; channel: number } | null = null;
  #waitMillis = 0;
  #missingMillisMax = replyMillisMax;

  constructor(played: Case, target: Target, pace: Pace) {
    this.#case = played;
    this.#target = target;
    this.#pace = pace;
  }

  async play(): Promise<Case> {
    const steps: Step[] = [];
    for (const [index, step] of this.#case.steps.entries()) {
      let replies = await this.#playStep(step.text, this.#pace.expected?.steps[index]?.replies.length ?? null);
      if (this.#case.ignoresClose) replies = replies.filter(reply => !reply.endsWith('< closed'));
      steps.push({ text: step.text, replies: this.#case.isUnordered ? replies.sort() : replies });
    }
    return { ...this.#case, steps };
  }

  async leave(): Promise<void> {
    for (const peer of this.#peers.values()) {
      peer.isManual = false;
      if (!peer.isClosed && peer.hasOpened) {
        peer.events = [];
        peer.sendMethod(0, 'connection.close', new Map([['reply-code', Buffer.from('200')]]));
        await this.#signal.until(() => peer.isClosed || peer.events.some(event => event.kind === 'connection.close-ok'), replyMillisMax);
      }
      peer.destroy();
    }
    await Cleaner.at(this.#target).remove([...this.#declaredQueues, ...this.#names.queues()], [...this.#declaredExchanges]);
  }

  async #playStep(text: string, expectedCount: number | null): Promise<string[]> {
    this.#pendingReply = null;
    this.#waitMillis = 0;
    const began = performance.now();
    const output = new Map<Peer, Buffer[]>();
    for (const command of parseCommands(this.#names.restore(text))) {
      const peer = await this.#perform(command, bytes => {
        const parts = output.get(peerOf(this.#peers, command)) ?? [];
        parts.push(bytes);
        output.set(peerOf(this.#peers, command), parts);
      });
      if (peer !== null && !output.has(peer)) output.set(peer, []);
    }
    for (const [peer, parts] of output) if (parts.length > 0) peer.send(Buffer.concat(parts));
    await this.#listen(began, expectedCount);
    return this.#drain();
  }

  async #listen(began: number, expectedCount: number | null): Promise<void> {
    const elapsed = (): number => performance.now() - began;
    if (expectedCount === null) {
      const pending = this.#pendingReply;
      if (pending !== null) await this.#signal.until(() => this.#isAnswered(pending.peer, pending.channel), replyMillisMax);
      await this.#signal.until(() => elapsed() >= this.#waitMillis && this.#quietMillis() >= this.#pace.quietMillis, 60_000);
      return;
    }
    const count = (): number => [...this.#peers.values()].reduce((sum, peer) => sum + peer.events.length, 0);
    if (expectedCount === 0) await this.#signal.until(() => count() > 0, this.#waitMillis);
    else if (!(await this.#signal.until(() => count() >= expectedCount, Math.max(this.#missingMillisMax, this.#waitMillis * 2)))) {
      // The case has failed already: no need to wait as long for what else may be missing.
      this.#missingMillisMax = 200;
    }
    await this.#signal.until(() => this.#quietMillis() >= this.#pace.settleMillis, 1000);
  }

  #isAnswered(peer: Peer, channel: number): boolean {
    if (peer.isClosed) return true;
    return peer.events.some(event => event.channel === channel || event.channel === 0) && !peer.hasUnconfirmed(channel);
  }

  #quietMillis(): number {
    return performance.now() - Math.max(...[...this.#peers.values()].map(peer => peer.lastActivityMillis), 0);
  }

  /** Takes the frames noted so far, in an order that does not depend on which connection or channel was served first. */
  #drain(): string[] {
    const out: string[] = [];
    for (const peer of [...this.#peers.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const events: PeerEvent[] = peer.events;
      peer.events = [];
      const closed = events.filter(event => event.kind === 'closed');
      const open = events.filter(event => event.kind !== 'closed');
      const channels = [...new Set(open.map(event => event.channel))].sort((a, b) => a - b);
      for (const channel of channels)
        out.push(...open.filter(event => event.channel === channel).map(event => this.#names.normalise(event.text)));
      out.push(...closed.map(event => event.text));
    }
    return out;
  }

  /** Performs one command; bytes to send go to `write`. Returns the connection it went to. */
  async #perform(command: Command, write: (bytes: Buffer) => void): Promise<Peer | null> {
    if (command.connection === '') {
      if (command.verb !== 'wait') throw new SyntaxError(`unknown command ${command.verb}`);
      this.#waitMillis += Number(command.bare[0]?.toString() ?? 0);
      return null;
    }
    if (command.verb === 'connect') return this.#connect(command.connection);
    if (command.verb === 'start') return await this.#start(command.connection);
    if (command.verb === 'open') return await this.#open(command.connection, command.named);
    const peer = this.#peers.get(command.connection) ?? (await this.#openImplicitly(command.connection));
    if (command.channel !== null) await this.#openChannel(peer, command.channel, command.verb);
    const channel = command.channel ?? 0;
    switch (command.verb) {
      case 'manual':
        peer.isManual = true;
        break;
      case 'end':
        peer.end();
        break;
      case 'cut':
        peer.destroy();
        peer.isClosed = true;
        break;
      case 'raw':
        write(command.bare[0] ?? Buffer.alloc(0));
        break;
      case 'heartbeat':
        write(encodeFrame(frameHeartbeat, channel, Buffer.alloc(0)));
        break;
      case 'frame':
        write(encodeFrame(number(command, 'type'), channel, bytes(command, 'payload'), number(command, 'end', 0xce)));
        break;
      case 'header':
        write(
          encodeFrame(frameHeader, channel, encodeHeader(number(command, 'class', 60), number(command, 'size'), table(command, 'props'))),
        );
        break;
      case 'body':
        write(encodeFrame(frameBody, channel, body(command, command.bare[0])));
        break;
      case 'publish':
        this.#publish(peer, channel, command, write);
        break;
      default:
        this.#sendMethod(peer, channel, command, write);
    }
    return peer;
  }

  #connect(name: string): Peer {
    const peer = new Peer(name, this.#target.host, this.#target.port, () => this.#signal.notify());
    this.#peers.set(name, peer);
    return peer;
  }

  /** Connects, sends the protocol header and swallows connection.start. */
  async #start(name: string): Promise<Peer> {
    const peer = this.#connect(name);
    peer.send(protocolHeader);
    await this.#signal.until(() => peer.events.length > 0, replyMillisMax);
    if (peer.events[0]?.kind === 'connection.start') peer.events = [];
    return peer;
  }

  async #openImplicitly(name: string): Promise<Peer> {
    const peer = await this.#open(name, new Map());
    if (!peer.hasOpened) throw new Error(`${name} could not be opened: ${peer.events.map(event => event.text).join('; ')}`);
    peer.isImplicit = true;
    peer.events = [];
    return peer;
  }

  /**
   * The whole handshake. What the server sends up to tune is noted only when it is a refusal.
   * Options: user, password, vhost, mechanism, response, client-properties, channel-max, frame-max, heartbeat (default: 0).
   */
  async #open(name: string, options: ReadonlyMap<string, Argument>): Promise<Peer> {
    const peer = this.#connect(name);
    const text = (key: string, otherwise: string): Buffer => {
      const given = options.get(key);
      return Buffer.isBuffer(given) ? given : Buffer.from(otherwise);
    };
    const next = async (): Promise<PeerEvent | undefined> => {
      await this.#signal.until(() => peer.events.length > 0 || peer.isClosed, handshakeMillisMax);
      return peer.events[0];
    };
    peer.send(protocolHeader);
    if ((await next())?.kind !== 'connection.start') return peer;
    peer.events = [];
    const plain = Buffer.concat([Buffer.from([0]), text('user', 'guest'), Buffer.from([0]), text('password', 'guest')]);
    const given = options.get('client-properties');
    const clientProperties = given === undefined || Buffer.isBuffer(given) ? new TextReader(defaultClientProperties).table() : given;
    peer.sendMethod(
      0,
      'connection.start-ok',
      new Map<string, Argument>([
        ['client-properties', clientProperties],
        ['mechanism', text('mechanism', 'PLAIN')],
        ['response', text('response', plain.toString('latin1'))],
        ['locale', Buffer.from('en_US')],
      ]),
    );
    const tune = await next();
    if (tune?.kind !== 'connection.tune') return peer;
    peer.events = [];
    const frameMax = text('frame-max', printField(tune.fields.get('frame-max') ?? ''));
    peer.sendMethod(
      0,
      'connection.tune-ok',
      new Map([
        ['channel-max', text('channel-max', printField(tune.fields.get('channel-max') ?? ''))],
        ['frame-max', frameMax],
        ['heartbeat', text('heartbeat', '0')],
      ]),
    );
    peer.frameBytesMax = Number(frameMax.toString()) || 131072;
    peer.sendMethod(0, 'connection.open', new Map([['virtual-host', text('vhost', '/')]]));
    peer.hasOpened = (await next())?.kind === 'connection.open-ok';
    peer.isDefaultVhost = text('vhost', '/').toString() === '/';
    return peer;
  }

  async #openChannel(peer: Peer, channel: number, verb: string): Promise<void> {
    if (channel === 0 || !peer.isImplicit || peer.openChannels.has(channel) || peer.usedChannels.has(channel) || verb === 'channel.open')
      return;
    const before = peer.events;
    peer.events = [];
    peer.sendMethod(channel, 'channel.open', new Map());
    await this.#signal.until(() => peer.isClosed || peer.events.some(event => event.kind === 'channel.open-ok'), replyMillisMax);
    peer.events = [...before, ...peer.events.filter(event => event.kind !== 'channel.open-ok')];
  }

  #sendMethod(peer: Peer, channel: number, command: Command, write: (bytes: Buffer) => void): void {
    const name = command.verb;
    const argument = (key: string): string => argumentText(command.named.get(key));
    if (peer.isDefaultVhost && name === 'queue.declare' && argument('queue') !== '') this.#declaredQueues.add(argument('queue'));
    if (peer.isDefaultVhost && name === 'exchange.declare') this.#declaredExchanges.add(argument('exchange'));
    if (isSynchronous(name) && argument('nowait') !== 'true') this.#pendingReply = { peer, channel };
    write(peer.encodeMethod(channel, name, command.named));
  }

  /**
   * basic.publish with header and body frames. Options besides the method's: body, props, body-bytes=N (a body of N letters), size (the length
   * that the header tells), repeat=N (N messages, `{i}` in the body counts from 1).
   */
  #publish(peer: Peer, channel: number, command: Command, write: (bytes: Buffer) => void): void {
    const method = new Map([...command.named].filter(([name]) => ['exchange', 'routing-key', 'mandatory', 'immediate'].includes(name)));
    const known = ['body', 'props', 'body-bytes', 'size', 'repeat', ...method.keys()];
    for (const name of command.named.keys()) if (!known.includes(name)) throw new SyntaxError(`publish has no option ${name}`);
    for (let i = 1; i <= number(command, 'repeat', 1); i++) {
      const content = Buffer.from(body(command, undefined).toString('latin1').replaceAll('{i}', String(i)), 'latin1');
      write(peer.encodeMethod(channel, 'basic.publish', method));
      write(encodeFrame(frameHeader, channel, encodeHeader(60, number(command, 'size', content.length), table(command, 'props'))));
      const chunk = peer.frameBytesMax - 8;
      for (let at = 0; at < content.length; at += chunk) write(encodeFrame(frameBody, channel, content.subarray(at, at + chunk)));
    }
    if (peer.hasUnconfirmed(channel) || command.named.has('mandatory')) this.#pendingReply = { peer, channel };
  }
}

function peerOf(peers: ReadonlyMap<string, Peer>, command: Command): Peer {
  const peer = peers.get(command.connection);
  if (peer === undefined) throw new SyntaxError(`${command.connection} is not connected`);
  return peer;
}

function number(command: Command, name: string, otherwise = 0): number {
  const given = command.named.get(name);
  return given === undefined ? otherwise : Number(argumentText(given));
}

function bytes(command: Command, name: string): Buffer {
  const given = command.named.get(name);
  return Buffer.isBuffer(given) ? given : Buffer.alloc(0);
}

function table(command: Command, name: string): FieldTable {
  const given = command.named.get(name);
  return given === undefined || Buffer.isBuffer(given) ? [] : given;
}

function body(command: Command, bare: Buffer | undefined): Buffer {
  return command.named.has('body-bytes') ? Buffer.alloc(number(command, 'body-bytes'), 'abcdefgh') : (bare ?? bytes(command, 'body'));
}

import { isLoopback, plainAddress, sourceOf } from '../base/address.ts';
import type { SlotList } from '../base/slot-list.ts';
import type { Logger } from '../core/ports/logger.ts';
import { RareLog } from './rare-log.ts';

export interface AdmissionLimits {
  /** Connections open at once, of all listeners. */
  readonly connectionsMax: number;
  /** Of one IPv4 address or one IPv6 network of /64; of this machine itself there may be any number. */
  readonly connectionsPerAddressMax: number;
  /**
   * Connections at once whose user is not known yet. At the limit one that has taken long over its login has to leave for a new one; one
   * address has at most half of the places.
   */
  readonly unauthenticatedConnectionsMax: number;
}

/** Why a connection was closed before a protocol saw it. */
export type Refusal = 'connections' | 'unauthenticated' | 'address' | 'proxy-source' | 'proxy-header' | 'tls' | 'web-socket' | 'accept';

/** Part of the files a process may have open that connections may take: the rest is for queues and logs. */
const openFilesShare = 0.8;
/** A client that takes longer to log in has to make room for others when there are too many. */
const loginPatienceMillis = 1000;

/** The limit on connections that leaves files for the rest of the broker; `openFilesMax` is null when nobody knows it. */
export function connectionsMaxWithin(connectionsMax: number, openFilesMax: number | null): number {
  return openFilesMax === null ? connectionsMax : Math.min(connectionsMax, Math.floor(openFilesMax * openFilesShare));
}

/** What is admitted: the socket, as far as it matters here. */
export interface Admitted {
  destroy(): unknown;
}

/** Where connections come from: an IPv4 address or an IPv6 network. */
class Source {
  readonly key: string;
  connectionCount = 0;
  unauthenticatedCount = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** The place that one connection takes, from the kernel's accept to its close. */
export class Admission {
  readonly socket: Admitted;
  readonly #control: AdmissionControl;
  readonly #group: SlotList<Admission>;
  readonly #slot: number;
  #source: Source | null = null;
  #isAuthenticated = false;
  #isClosed = false;
  readonly sinceMillis: number;
  /** Neighbours among those that have not logged in, the older one and the younger one; for AdmissionControl. */
  older: Admission | null = null;
  younger: Admission | null = null;

  constructor(control: AdmissionControl, group: SlotList<Admission>, socket: Admitted, nowMillis: number) {
    this.sinceMillis = nowMillis;
    this.#control = control;
    this.#group = group;
    this.socket = socket;
    this.#slot = group.add(this);
  }

  /** Counts the connection for the address it comes from; false: that one has enough, and the connection is to be closed. Once only. */
  comesFrom(peerHost: string): boolean {
    // Dismissed while its header was read.
    if (this.#isClosed || this.#isAuthenticated) return false;
    const key = sourceKey(peerHost);
    if (key === '') return true;
    this.#source = this.#control.addToSource(key, peerHost);
    return this.#source !== null;
  }

  /** The user is known. */
  authenticated(): void {
    if (this.#isAuthenticated || this.#isClosed) return;
    this.#isAuthenticated = true;
    this.#control.authenticated(this, this.#source);
  }

  /** Gives the place back; may be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#group.remove(this.#slot);
    this.#control.leave(this, this.#source, this.#isAuthenticated);
  }
}

/**
 * Who gets in: limits on connections at once for all listeners of a broker together. One that is too many is closed without a word, because
 * nobody knows yet what language it speaks, and the log hears of it now and then.
 */
export class AdmissionControl {
  readonly limits: AdmissionLimits;
  readonly log: RareLog;
  /** How many connections were refused since the start. */
  readonly refused: Record<Refusal, number> = {
    connections: 0,
    unauthenticated: 0,
    address: 0,
    'proxy-source': 0,
    'proxy-header': 0,
    tls: 0,
    'web-socket': 0,
    accept: 0,
  };
  #connectionCount = 0;
  #unauthenticatedCount = 0;
  readonly #sources = new Map<string, Source>();
  /** Those that have not logged in, as a chain. */
  #oldest: Admission | null = null;
  #youngest: Admission | null = null;
  readonly #now: () => number;

  /** `now` gives monotonic milliseconds. */
  constructor(limits: AdmissionLimits, logger: Logger, now: () => number = () => performance.now()) {
    this.limits = limits;
    this.#now = now;
    this.log = new RareLog(logger, now);
  }

  get connectionCount(): number {
    return this.#connectionCount;
  }

  get unauthenticatedCount(): number {
    return this.#unauthenticatedCount;
  }

  countOf(peerHost: string): number {
    return this.#sources.get(sourceKey(peerHost))?.connectionCount ?? 0;
  }

  /** A place for a new connection, in a group (those of one listener); null when there is none, and the connection is to be closed. */
  admit(socket: Admitted, group: SlotList<Admission>): Admission | null {
    const { connectionsMax, unauthenticatedConnectionsMax } = this.limits;
    if (this.#connectionCount >= connectionsMax) {
      this.refuse('connections', () => `refusing a connection: ${connectionsMax} are open, which is the limit of this node`);
      return null;
    }
    const now = this.#now();
    if (this.#unauthenticatedCount >= unauthenticatedConnectionsMax && !this.#dismissOldest(now)) {
      this.refuse(
        'unauthenticated',
        () => `refusing a connection: ${unauthenticatedConnectionsMax} others have not logged in yet, which is the limit`,
      );
      return null;
    }
    this.#connectionCount++;
    const admission = new Admission(this, group, socket, now);
    this.#unauthenticatedCount++;
    admission.older = this.#youngest;
    if (this.#youngest === null) this.#oldest = admission;
    else this.#youngest.younger = admission;
    this.#youngest = admission;
    return admission;
  }

  /**
   * Disconnects who has been at its login for longest, if for long: so those that hold connections open without ever logging in do not
   * keep others out. In a rush of honest clients nobody is dismissed, and the newest are refused.
   */
  #dismissOldest(nowMillis: number): boolean {
    const oldest = this.#oldest;
    if (oldest === null || nowMillis - oldest.sinceMillis < loginPatienceMillis) return false;
    this.refuse(
      'unauthenticated',
      () =>
        `closing a connection that has not logged in: there are ${this.limits.unauthenticatedConnectionsMax} of them, which is the limit`,
    );
    // It counts no more, whenever its socket is closed.
    oldest.authenticated();
    oldest.socket.destroy();
    return true;
  }

  /** Counts a refusal and mentions it in the log, unless it did so just before. */
  refuse(why: Refusal, text: () => string): void {
    this.refused[why]++;
    this.log.warn('connection', why, text);
  }

  /** For Admission. Null when there are enough connections from there. */
  addToSource(key: string, peerHost: string): Source | null {
    let source = this.#sources.get(key);
    const { connectionsPerAddressMax, unauthenticatedConnectionsMax } = this.limits;
    if (source !== undefined && source.connectionCount >= connectionsPerAddressMax) {
      this.refuse(
        'address',
        () => `refusing a connection from ${peerHost}: it has ${connectionsPerAddressMax}, which is the limit per address`,
      );
      return null;
    }
    // Whoever floods us from one place must not keep out those from others.
    if (source !== undefined && source.unauthenticatedCount >= Math.max(1, unauthenticatedConnectionsMax / 2)) {
      this.refuse('unauthenticated', () => `refusing a connection from ${peerHost}: too many others from there have not logged in yet`);
      return null;
    }
    if (source === undefined) {
      source = new Source(key);
      this.#sources.set(key, source);
    }
    source.connectionCount++;
    source.unauthenticatedCount++;
    return source;
  }

  /** For Admission. */
  authenticated(admission: Admission, source: Source | null): void {
    this.#unauthenticatedCount--;
    if (source !== null) source.unauthenticatedCount--;
    if (admission.older === null) this.#oldest = admission.younger;
    else admission.older.younger = admission.younger;
    if (admission.younger === null) this.#youngest = admission.older;
    else admission.younger.older = admission.older;
    admission.older = null;
    admission.younger = null;
  }

  /** For Admission. */
  leave(admission: Admission, source: Source | null, wasAuthenticated: boolean): void {
    this.#connectionCount--;
    if (!wasAuthenticated) this.authenticated(admission, source);
    if (source !== null && --source.connectionCount === 0) this.#sources.delete(source.key);
  }
}

/** What connections are counted by; '' for those that are not. */
function sourceKey(peerHost: string): string {
  if (isLoopback(peerHost)) return '';
  const host = plainAddress(peerHost);
  if (host.includes(':')) return sourceOf(host);
  return host.includes('.') ? host : '';
}

// What the management needs of the configuration. The server's Config has all of it under the same names.
import type { TlsOptions } from '../net/tls-contexts.ts';

export interface HttpListenerSettings {
  readonly kind: 'tcp' | 'tls';
  /** An IP address; null is every interface. */
  readonly host: string | null;
  /** 0 takes a free port. */
  readonly port: number;
  readonly backlog: number;
  /** Null for plain HTTP. */
  readonly tls: TlsOptions | null;
}

export interface RetentionSettings {
  readonly section: 'global' | 'basic' | 'detailed';
  readonly seconds: number;
  readonly intervalSeconds: number;
}

export interface ManagementSettings {
  readonly loopbackUsers: readonly string[];
  readonly configFiles: readonly string[];
  readonly dataDir: string | null;
  readonly memory: { readonly watermarkBytes: number };
  readonly disk: { readonly freeLimitBytes: number };
  readonly log: { readonly file: { readonly path: string } | null };
  readonly passwordHashing: 'sha256' | 'sha512';
  readonly credentialValidator: {
    readonly kind: 'accept_everything' | 'min_password_length' | 'password_regexp';
    readonly lengthMin: number;
    readonly pattern: string | null;
  };
  readonly management: {
    readonly listeners: readonly HttpListenerSettings[];
    /** '' or '/prefix', without a slash at its end. */
    readonly pathPrefix: string;
    readonly ratesMode: 'basic' | 'detailed' | 'none';
    /** Of definitions; other bodies have a smaller limit. */
    readonly bodyBytesMax: number;
    readonly sessionMinutes: number;
    readonly cors: { readonly allowOrigins: readonly string[]; readonly ageSecondsMax: number };
    readonly cspPolicy: string | null;
    readonly hstsPolicy: string | null;
    readonly disableStats: boolean;
    readonly enableQueueTotals: boolean;
    readonly operatorPolicyChangesDisabled: boolean;
    readonly sampleIntervalMillis: number;
    readonly retention: readonly RetentionSettings[];
  };
  readonly prometheus: {
    readonly listeners: readonly HttpListenerSettings[];
    /** Where /metrics is, e.g. '/metrics'. */
    readonly path: string;
    readonly perObjectMetrics: boolean;
    readonly authentication: boolean;
  };
}

/** A management with RabbitMQ's defaults on loopback; a test or an embedding program gives what differs. */
export const defaultManagementSettings: ManagementSettings = {
  loopbackUsers: ['guest'],
  configFiles: [],
  dataDir: null,
  memory: { watermarkBytes: Infinity },
  disk: { freeLimitBytes: 50_000_000 },
  log: { file: null },
  passwordHashing: 'sha256',
  credentialValidator: { kind: 'accept_everything', lengthMin: 8, pattern: null },
  management: {
    listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 15_672, backlog: 1024, tls: null }],
    pathPrefix: '',
    ratesMode: 'basic',
    bodyBytesMax: 20_000_000,
    sessionMinutes: 8 * 60,
    cors: { allowOrigins: [], ageSecondsMax: 1800 },
    cspPolicy: null,
    hstsPolicy: null,
    disableStats: false,
    enableQueueTotals: false,
    operatorPolicyChangesDisabled: false,
    sampleIntervalMillis: 5000,
    retention: [
      { section: 'global', seconds: 605, intervalSeconds: 5 },
      { section: 'global', seconds: 3660, intervalSeconds: 60 },
      { section: 'global', seconds: 29_400, intervalSeconds: 600 },
      { section: 'global', seconds: 86_400, intervalSeconds: 1800 },
      { section: 'basic', seconds: 605, intervalSeconds: 5 },
      { section: 'basic', seconds: 3600, intervalSeconds: 60 },
    ],
  },
  prometheus: { listeners: [], path: '/metrics', perObjectMetrics: false, authentication: false },
};

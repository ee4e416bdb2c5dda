import type { JsonObject } from './http/reply.ts';

/** A limit as an operator gives it. */
export type MemoryWatermark = { readonly relative: number } | { readonly absoluteBytes: number };
export type DiskFreeLimit = { readonly absoluteBytes: number } | { readonly relativeToMemory: number };

/** RabbitMQ's log levels, the most talkative first. */
export const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency', 'none'] as const;
export type LogLevelName = (typeof logLevels)[number];

/** Levels of the log at this moment. */
export interface LogLevels {
  readonly outputs: readonly { readonly name: string; readonly level: LogLevelName }[];
  /** Categories with a level of their own. */
  readonly categories: Readonly<Record<string, LogLevelName>>;
}

/** What an operator may do with the running node. The server implements it: an embedded management may go without. */
export interface NodeControl {
  /** False between stop_app and start_app: no client is served. */
  readonly isAppRunning: boolean;
  /** Whether clients can connect at this moment. */
  readonly isListening: boolean;
  /** In effect now; Infinity for none. */
  readonly memoryWatermarkBytes: number;
  readonly diskFreeLimitBytes: number;
  suspendListeners(): void;
  /** Rejects with a ListenError when an address was taken meanwhile. */
  resumeListeners(): Promise<void>;
  /** No client is served any more; the management goes on. [RabbitMQ: rabbitmqctl stop_app] */
  stopApp(): Promise<void>;
  startApp(): Promise<void>;
  /** Everything is as in a new data directory: nothing but the first user and virtual host. */
  reset(): Promise<void>;
  /** Gives memory back to the system as far as that can be done. */
  collectGarbage(): void;
  /** Log files are opened anew. */
  reopenLogs(): void;
  logLevels(): LogLevels;
  /** Of a category, or of all outputs when it is null. False if there is no such category. */
  setLogLevel(level: LogLevelName, category: string | null): boolean;
  setMemoryWatermark(watermark: MemoryWatermark): void;
  setDiskFreeLimit(limit: DiskFreeLimit): Promise<void>;
  /** The configuration in effect, without secrets. */
  environment(): JsonObject;
}

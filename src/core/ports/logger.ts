/** Categories as RabbitMQ has them, for levels per category. */
export type LogCategory = 'connection' | 'channel' | 'queue' | 'default' | 'upgrade' | 'store';

/** Where the broker's messages to the operator go. Texts are whole sentences of RabbitMQ's kind, without line breaks. */
export interface Logger {
  debug(category: LogCategory, text: string): void;
  info(category: LogCategory, text: string): void;
  warning(category: LogCategory, text: string): void;
  error(category: LogCategory, text: string, error?: unknown): void;
}

/** Says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warning() {}, error() {} };

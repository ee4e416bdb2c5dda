import type { CertificateLogin } from '../../auth/client-certificate.ts';

/** How STOMP is served. [rabbitmq.conf: stomp.*] */
export interface StompOptions {
  /** Whom a client becomes that sends no login; null refuses it. */
  readonly defaultLogin: { readonly user: string; readonly password: string } | null;
  readonly defaultVhost: string;
  /** Where /topic/ leads. */
  readonly defaultTopicExchange: string;
  /** Whether a client need not send CONNECT to become the user of `defaultLogin`. */
  readonly implicitConnect: boolean;
  /** Whether a client without login header is who its certificate says. */
  readonly certificateLogin: boolean;
  /** Which name of the certificate. */
  readonly certificateName: CertificateLogin | undefined;
  readonly loginMillis: number;
  /** Longest frame before login, and after. */
  readonly preauthFrameBytesMax: number;
  readonly frameBytesMax: number;
  readonly hideServerInfo: boolean;
  /** What a NACK without requeue header does. */
  readonly defaultNackRequeue: boolean;
}

export const defaultStompOptions: StompOptions = {
  defaultLogin: null,
  defaultVhost: '/',
  defaultTopicExchange: 'amq.topic',
  implicitConnect: false,
  certificateLogin: false,
  certificateName: undefined,
  loginMillis: 10_000,
  preauthFrameBytesMax: 8 * 1024,
  frameBytesMax: 4 * 1024 * 1024,
  hideServerInfo: false,
  defaultNackRequeue: true,
};

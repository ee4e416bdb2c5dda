/** What is wrong with a packet, or refused, with the reason code that the peer is told where its version has such. */
export class MqttError extends Error {
  readonly reason: number;

  constructor(reason: number, text: string) {
    super(text);
    this.name = 'MqttError';
    this.reason = reason;
  }
}

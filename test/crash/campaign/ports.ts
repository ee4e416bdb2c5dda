/** Where a broker listens; 0: nowhere. */
export interface Ports {
  readonly amqp: number;
  readonly mqtt: number;
  readonly stomp: number;
}

/** Of a broker in this process. */
export function portsOf({
  listeners,
}: {
  readonly listeners: readonly { readonly port: number; readonly options: { readonly protocol: string } }[];
}): Ports {
  const portOf = (protocol: string): number => listeners.find(({ options }) => options.protocol === protocol)?.port ?? 0;
  return { amqp: portOf('amqp'), mqtt: portOf('mqtt'), stomp: portOf('stomp') };
}

/** How RabbitMQ names a queue in its texts. */
export function queueTerm(name: string, vhostName: string): string {
  return `queue '${name}' in vhost '${vhostName}'`;
}

/** How RabbitMQ names an exchange in its texts. */
export function exchangeTerm(name: string, vhostName: string): string {
  return `exchange '${name}' in vhost '${vhostName}'`;
}

/** RabbitMQ takes line breaks out of names that come over AMQP. [RabbitMQ: rabbit_channel, strip_cr_lf] */
export function withoutLineBreaks(name: string): string {
  return /[\r\n]/.test(name) ? name.replace(/[\r\n]/g, '') : name;
}

/** WarrenMQ as a library: a RabbitMQ-compatible broker inside the calling process. */
export { Broker, type BrokerOptions } from './server/broker.ts';

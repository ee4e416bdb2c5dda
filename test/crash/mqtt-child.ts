// A broker with MQTT in a process of its own, to be killed: prints its MQTT port. Usage: mqtt-child.ts DATA_DIR
import { Broker } from '../../src/index.ts';

const broker = await Broker.start({
  dataDir: process.argv[2] as string,
  listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }],
  mqtt: { prefetch: 1000, receiveMax: 1000 },
});
console.log(broker.listeners[1]?.port);
process.on('SIGTERM', () => void broker.stop().then(() => process.exit(0)));

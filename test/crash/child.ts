// A broker in a process of its own, to be killed: prints its URLs. Usage: child.ts DATA_DIR
import { Broker } from '../../src/index.ts';
import { portsOf } from './campaign/ports.ts';

const broker = await Broker.start({
  dataDir: process.argv[2] as string,
  listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }, { protocol: 'stomp' }],
  mqtt: { prefetch: 500, receiveMax: 1000 },
});
const { mqtt, stomp } = portsOf(broker);
console.log(`${broker.amqpUrl}\nmqtt://127.0.0.1:${mqtt}\nstomp://127.0.0.1:${stomp}`);
process.on('SIGTERM', () => void broker.stop().then(() => process.exit(0)));

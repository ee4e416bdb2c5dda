// A broker with a STOMP listener in a process of its own, to be killed: prints the listener's port. Usage: stomp-child.ts DATA_DIR
import { Broker } from '../../src/index.ts';

const broker = await Broker.start({ dataDir: process.argv[2] as string, listeners: [{}, { protocol: 'stomp' }] });
console.log(broker.listeners[1]?.port);
process.on('SIGTERM', () => void broker.stop().then(() => process.exit(0)));

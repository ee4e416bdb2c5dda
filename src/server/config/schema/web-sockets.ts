// WebSockets: what holds for all of them, and AMQP 0-9-1 inside of them. MQTT's and STOMP's are with their protocols.
import { type Area, familyKey } from '../key.ts';
import { someText } from '../value-type.ts';
import { webSocketKeys } from './web-socket-keys.ts';

export const WEB_AMQP = webSocketKeys('web_amqp', 'AMQP 0-9-1', '15670', '15669', 'full');

export const WEB_SOCKETS = {
  origins: familyKey(
    'warren.web_socket_origins.$n',
    someText,
    'An origin whose web pages may connect by WebSocket, of any protocol: https://shop.example.com, or * for all.',
    { defaultText: 'the host that is connected to' },
  ),
};

export const WEB_SOCKETS_AREA: Area = {
  title: 'WebSockets',
  introduction:
    'Browsers name the origin of the page that connects. Without any list only pages of the same host may connect, on any port, and from the ' +
    'machine itself only pages of `localhost` or a loopback address, because `guest` can log in from there. Programs that send no `Origin` are not concerned.',
  keys: [...Object.values(WEB_SOCKETS), ...WEB_AMQP.keys],
};

import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({
  client: 'amqp-client',
  name: '@cloudamqp/amqp-client',
  from: 'npm',
  programs: programsIn('amqp-client', 'js', ['session.js', 'web_socket.js']),
});

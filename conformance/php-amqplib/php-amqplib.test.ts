import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({
  client: 'php-amqplib',
  from: { debian: ['php-amqplib', 'php-cli'] },
  programs: programsIn('php-amqplib', 'php', ['session.php']),
});

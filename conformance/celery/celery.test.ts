import { clientSuite } from '../support/suite.ts';

clientSuite({
  client: 'celery',
  from: { debian: ['python3-celery', 'python3-kombu', 'python3-amqp'] },
  programs: ['running.py', 'failing.py'],
});

import { clientSuite } from '../support/suite.ts';

clientSuite({ client: 'rascal', from: 'npm', programs: ['messaging.js'] });
// Virtual hosts are asserted through the HTTP API.
clientSuite({ client: 'rascal', name: 'rascal with virtual hosts', from: 'npm', programs: ['vhosts.js'], needsHttp: true });

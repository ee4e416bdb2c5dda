import { clientSuite } from '../../support/suite.ts';

clientSuite({ client: 'scenarios/good-practice', name: 'good practice', from: 'npm', programs: ['good_practice.js'] });

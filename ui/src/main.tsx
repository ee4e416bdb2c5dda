import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme } from './model/session.ts';

applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);

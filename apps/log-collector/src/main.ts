import { runService } from '@haven/runtime';
import { CollectorModule } from './collector.module.js';
import { loadSettings } from './settings.js';

const settings = loadSettings();
await runService({ service: 'log-collector', settings, module: CollectorModule.forRoot(settings) });

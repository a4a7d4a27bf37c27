import { runService } from '@haven/runtime';
import { JobServiceModule } from './job-service.module.js';
import { loadSettings } from './settings.js';

const settings = loadSettings();
await runService({ service: 'job-service', settings, module: JobServiceModule.with(settings) });

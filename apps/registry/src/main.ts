import { runService } from '@haven/runtime';
import { RegistryModule } from './registry.module.js';
import { readRegistrySettings } from './settings.js';

const settings = readRegistrySettings();
await runService({ service: 'registry', settings, module: RegistryModule.with(settings) });

import { Module, type DynamicModule } from '@nestjs/common';
import { FirstStartModule } from './first-start/first-start.module.js';
import { HttpModule } from './http/http.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { ProjectModule } from './project/project.module.js';
import type { CoreSettings } from './settings.js';
import { SystemModule } from './system/system.module.js';
import { TokenModule } from './token/token.module.js';

/** The REST API, the token service and identity. */
@Module({ imports: [HttpModule, FirstStartModule, TokenModule, SystemModule, ProjectModule] })
export class CoreModule {
  static forRoot(settings: CoreSettings): DynamicModule {
    return { module: CoreModule, imports: [PlatformModule.forRoot(settings)] };
  }
}

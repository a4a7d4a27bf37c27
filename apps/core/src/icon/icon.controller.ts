import { Controller, Get, Param } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Icon } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { anyone } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { IconService } from './icon.service.js';

@Controller('api/v2.0/icons')
export class IconController {
  constructor(private readonly icons: IconService) {}

  @Get(':digest')
  @Operation({ id: 'getIcon', tag: 'icon', summary: 'The icon of an artifact or accessory', refuses: ['NOT_FOUND'] })
  @Requires(anyone)
  @Responds(Icon)
  get(@CallerParam() caller: Caller, @Param('digest') digest: string): Promise<Icon> {
    return this.icons.get(caller, digest);
  }
}

import { Body, Controller, Get, Put } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { ConfigurationsReq, ConfigurationsResponse } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { ConfigurationChangeService } from './configuration-change.service.js';
import { ConfigurationService } from './configuration.service.js';
import { WorksWhileReadOnly } from './read-only.guard.js';

@Controller('api/v2.0/configurations')
export class ConfigurationController {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly changes: ConfigurationChangeService,
  ) {}

  @Get()
  @Operation({ id: 'getConfigurations', tag: 'configure', summary: 'The settings of the installation, without its secrets' })
  @Requires(systemPermission('configuration', 'read'))
  @Responds(ConfigurationsResponse)
  async get(): Promise<ConfigurationsResponse> {
    const [configuration, modeIsEditable] = await Promise.all([this.configuration.current(), this.changes.modeIsEditable()]);
    const items = Object.entries(configuration).map(([name, value]) => [name, { value, editable: name !== 'auth_mode' || modeIsEditable }] as const);
    return { ...Object.fromEntries(items), scan_all_policy: { type: 'none' } };
  }

  @Put()
  @Operation({ id: 'updateConfigurations', tag: 'configure', summary: 'Change settings of the installation', refuses: ['DENIED'], audits: { operation: 'update', resourceType: 'configuration' } })
  @Requires(systemPermission('configuration', 'update'))
  @WorksWhileReadOnly() // so that read-only mode can be ended
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Body({ schema: ConfigurationsReq }) request: ConfigurationsReq): Promise<void> {
    return this.changes.change(caller, request);
  }
}

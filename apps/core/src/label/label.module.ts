import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { LabelController } from './label.controller.js';
import { LabelService } from './label.service.js';
import { LabelStore } from './label.store.js';

/** Labels of the installation and of projects, for artifacts to wear. */
@Module({ imports: [AuthorizationModule], controllers: [LabelController], providers: [LabelStore, LabelService], exports: [LabelStore] })
export class LabelModule {}

import { Module } from '@nestjs/common';
import { IconController } from './icon.controller.js';
import { IconService } from './icon.service.js';
import { IconStore } from './icon.store.js';

/** The pictures that clients show beside artifacts. */
@Module({ controllers: [IconController], providers: [IconStore, IconService] })
export class IconModule {}

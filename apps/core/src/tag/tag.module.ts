import { Module } from '@nestjs/common';
import { ArtifactModule } from '../artifact/artifact.module.js';
import { ConfigurationModule } from '../configuration/configuration.module.js';
import { ActorNamesService } from './actor-names.service.js';
import { ActorNamesStore } from './actor-names.store.js';
import { TagController } from './tag.controller.js';
import { TagService } from './tag.service.js';
import { TagStore } from './tag.store.js';

/** The tags of repositories and their past. */
@Module({
  imports: [ArtifactModule, ConfigurationModule],
  controllers: [TagController],
  providers: [TagStore, ActorNamesStore, ActorNamesService, TagService],
  exports: [ActorNamesService],
})
export class TagModule {}

// @ts-check
import { Type } from '@sinclair/typebox'
import { defineResource, text } from 'student-course-api'

/** A second resource: its routes, storage and documentation derive from this. */
export const course = defineResource({
  name: 'course',
  description: 'The courses that there are.',
  fields: {
    title: text(200, { description: 'The title.' }),
    teacher: text(200, { description: 'Who gives the course.' }),
    credits: Type.Integer({ minimum: 0, maximum: 60, description: 'Credits (ECTS).' }),
    is_open: Type.Boolean({ description: 'Whether students can still sign up.' })
  },
  example: { title: 'Nanophotonics', teacher: 'Ada Lovelace', credits: 6, is_open: true }
})

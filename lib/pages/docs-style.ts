/** What the docs page looks like where Swagger UI's own style is not enough. */
export const docsStyle = `
/* a login here needs no client */
.auth-container .wrapper:has(> label[for^=client_id], > label[for^=client_secret], > label[for=password_type]) { display: none }
.swagger-ui .response-col_links { display: none }
.swagger-ui .error-line { display: flex; justify-content: space-between; gap: 1em }
.swagger-ui .error-line button { flex: none; align-self: start; padding: 0; border: 0; background: none; color: inherit; font: 12px sans-serif; text-decoration: underline; cursor: pointer }
.swagger-ui .info .title small.version-stamp, .swagger-ui .info .title small { background: #2f5d1a }
.swagger-ui .info .title small + small, .swagger-ui .info .title small:not(.version-stamp) { background: #4b5563 }

/* contrast of 4.5 to 1 or more */
html:not(.dark-mode) .swagger-ui a.link, html:not(.dark-mode) .swagger-ui .info a, html:not(.dark-mode) .swagger-ui .scopes a { color: #1d4f91 }
html:not(.dark-mode) .swagger-ui .btn.authorize, html:not(.dark-mode) .swagger-ui .dialog-ux .btn.modal-btn.authorize { border-color: #1d7a4c; color: #1d7a4c }
html:not(.dark-mode) .swagger-ui .btn.authorize svg { fill: #1d7a4c }
html:not(.dark-mode) .swagger-ui .btn.execute { border-color: #1d4f91; background: #1d4f91 }
html:not(.dark-mode) .swagger-ui .opblock-post .opblock-summary-method { background: #1d7a4c }
html:not(.dark-mode) .swagger-ui .opblock-get .opblock-summary-method { background: #1d62b0 }
html:not(.dark-mode) .swagger-ui .opblock-put .opblock-summary-method { background: #95560a }
html:not(.dark-mode) .swagger-ui .opblock-patch .opblock-summary-method { background: #0f7264 }
html:not(.dark-mode) .swagger-ui .opblock-delete .opblock-summary-method { background: #c11f1f }
html:not(.dark-mode) .swagger-ui .try-out__btn.cancel { border-color: #b91c1c; color: #b91c1c }
html:not(.dark-mode) .swagger-ui .parameter__name.required span, html:not(.dark-mode) .swagger-ui .parameter__name.required:after { color: #b00 }
html:not(.dark-mode) .swagger-ui .parameter__in { color: #555 }
html:not(.dark-mode) .swagger-ui .json-schema-2020-12-expand-deep-button { color: #555 }
html.dark-mode .swagger-ui .opblock.opblock-put .opblock-section-header { background: #4a2f21 }
html.dark-mode .swagger-ui .opblock .opblock-section-header .try-out__btn.cancel { border-color: #ff9c9c; color: #ff9c9c }
html.dark-mode .swagger-ui table.headers td { color: #e4e6e6 }
.swagger-ui .microlight code span[style*="211, 99, 99"] { color: #f09a9a !important }

@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 10px }
  .swagger-ui .opblock-body, .swagger-ui .responses-inner { max-width: calc(100vw - 22px); overflow-x: auto }
  .swagger-ui .responses-inner { padding: 10px }
  .swagger-ui table.responses-table { table-layout: fixed }
  .swagger-ui .response-col_status, .swagger-ui .responses-header td:first-child { width: 3.5em; padding-right: 0 }
  .swagger-ui table.parameters, .swagger-ui table.parameters tbody, .swagger-ui table.parameters tr, .swagger-ui table.parameters td { display: block; width: auto }
  .swagger-ui .parameters-container thead { display: none }
  .swagger-ui input, .swagger-ui select, .swagger-ui textarea { max-width: 100%; min-width: 0 }
  .swagger-ui .dialog-ux .modal-ux { width: calc(100vw - 20px); min-width: 0 }
}
`

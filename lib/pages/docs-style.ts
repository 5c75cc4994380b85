/** What the docs page looks like where Swagger UI's own style is not enough. */
export const docsStyle = `
/* a login here needs no client */
.auth-container .row:has(#client_id_password, #client_secret_password, #password_type) { display: none }
`

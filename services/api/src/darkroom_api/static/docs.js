// Shows the OpenAPI document that the page names.

const element = document.getElementById("api");

SwaggerUIBundle({
  domNode: element,
  url: element.dataset.document,
  deepLinking: true,
  validatorUrl: null, // it would ask another host
});

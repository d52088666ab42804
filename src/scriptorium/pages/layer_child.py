"""What a PDF's child process tells of a page's pictures and a document's form: imported by pdf_child alone."""

from typing import Any

MOST_FIELDS = 1000
"""Text fields after which no more are counted."""


def picture(page: Any) -> float:
    """The share of the page that its largest picture covers, in [0, 1]; a scan is one picture of the whole page."""
    import pypdfium2

    left, bottom, right, top = page.get_bbox()
    area = (right - left) * (top - bottom)
    if area <= 0:
        return 0.0
    largest = 0.0
    for each in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]):
        x0, y0, x1, y1 = each.get_bounds()
        width, height = min(x1, right) - max(x0, left), min(y1, top) - max(y0, bottom)
        largest = max(largest, width * height / area if min(width, height) > 0 else 0.0)
    return min(1.0, largest)


def text_fields(document: Any) -> int:
    """How many text fields the form of a document has, on all its pages; 0 without a form."""
    import pypdfium2

    raw = pypdfium2.raw
    if raw.FPDF_GetFormType(document) == raw.FORMTYPE_NONE or document.formenv is None:
        return 0
    fields = 0
    for number in range(len(document)):
        page = raw.FPDF_LoadPage(document, number)  # not through pypdfium2: it need not be ready for drawing
        if not page:
            continue
        for place in range(raw.FPDFPage_GetAnnotCount(page)):
            annotation = raw.FPDFPage_GetAnnot(page, place)
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
                kind = raw.FPDFAnnot_GetFormFieldType(document.formenv, annotation)
                fields += kind == raw.FPDF_FORMFIELD_TEXTFIELD
            raw.FPDFPage_CloseAnnot(annotation)
        raw.FPDF_ClosePage(page)
        if fields >= MOST_FIELDS:
            break
    return fields

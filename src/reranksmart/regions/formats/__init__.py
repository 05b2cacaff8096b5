"""Published region features -> RegionStore: a reader for each format, and one conversion for all.

Each reader yields the images of a file or folder one after the other, and ``writer.convert_regions`` checks and writes
them. No step holds more than one image's regions, so files of any size are converted in little memory.

| reader | format |
|---|---|
| ``oscar.read_oscar_features`` | OSCAR ``{split}_img_frcnn_feats.pt``, of any PyTorch version |
| ``tsv.read_bottom_up_tsv`` | bottom-up-attention and BAN TSV |
| ``tsv.read_lxmert_tsv`` | LXMERT TSV |
| ``vinvl.read_vinvl_tsv`` | VinVL TSV, with ``vinvl.VinvlLabels`` |
| ``folders.read_npz_folder`` | ``.npz`` of bottom-up-attention.pytorch |
| ``folders.read_pt_folder`` | ``.pt`` of the M3P extractor |
| ``folders.read_npy_folder`` | ``.npy`` and ``_info.npy`` of VOLTA and IGLUE |
| ``volta.read_volta_h5`` | ``.h5`` of VOLTA and IGLUE |
"""
